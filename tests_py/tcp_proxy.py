"""A TCP proxy whose connections can be cut or frozen, by hand or when something passes."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections.abc import Callable

Watch = Callable[["Proxy", bool, bytes], None]
"""Sees what passes before it is sent on: (proxy, whether the client sent it, bytes). It may cut."""


class Proxy:
    """Listens on ``port`` of loopback and passes everything on to ``upstream``."""

    def __init__(self, upstream: int, watch: Watch | None = None) -> None:
        self._upstream = upstream
        self._watch = watch
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.RLock()
        self._closed = False
        self.frozen = threading.Event()
        """When set, nothing passes any more, and nobody is told."""
        self.refuse = threading.Event()
        """When set, new connections are closed at once."""
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def cut(self) -> None:
        """Reset all connections."""
        with self._lock:
            for pair in self._pairs:
                for s in pair:
                    with contextlib.suppress(OSError):
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        s.shutdown(socket.SHUT_RDWR)
            self._pairs.clear()

    def drop_client(self) -> socket.socket:
        """Cut the client's half of the first connection, and return the server's, which stays open."""
        with self._lock:
            client, server = self._pairs.pop(0)
            kept = server.dup()
            client.shutdown(socket.SHUT_RDWR)
        return kept

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refuse.is_set():
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._upstream))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, server))
            thread = threading.Thread(target=self._pass, args=(client, server), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        with selectors.DefaultSelector() as selector, client, server, contextlib.suppress(OSError):
            for s in other:
                selector.register(s, selectors.EVENT_READ)
            while not self._closed:
                for key, _ in selector.select(0.2):
                    if self.frozen.is_set():
                        continue
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    if self._watch is not None:
                        self._watch(self, source is client, data)
                    other[source].sendall(data)
