"""A proxy that cuts the connections through it when so many bytes have gone through."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class Proxy:
    """Listens on a free port; ``sent`` counts what clients have sent."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._limit: int | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.sent = 0
        self.was_cut = False
        self._on: bytes | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, sent: int | None) -> None:
        """Cut all connections when clients have sent so many bytes from now on, and let no other through."""
        with self._lock:
            self.sent, self._limit = 0, sent

    def cut_on_sending(self, text: bytes) -> None:
        """Cut all connections once, right after clients have sent something with that text in it, which arrives."""
        with self._lock:
            self._on, self.was_cut = text, False

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with contextlib.suppress(OSError):
                    server = socket.create_connection(("127.0.0.1", self._to))
                    with self._lock:
                        self._open |= {client, server}
                    threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
                    threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()
                    continue
                client.close()

    def _pass(self, source: socket.socket, to: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if counts:
                    with self._lock:
                        self.sent += len(data)
                        over = self.sent - self._limit if self._limit is not None else 0
                    if over > 0:
                        with contextlib.suppress(OSError):
                            to.sendall(data[: max(0, len(data) - over)])
                        self.cut()
                        break
                to.sendall(data)
                with self._lock:
                    now = counts and self._on is not None and self._on in data
                    if now:
                        self._on, self.was_cut = None, True
                if now:
                    self.cut()
                    break
        for s in (source, to):
            self._shut(s)

    def _shut(self, s: socket.socket) -> None:
        with self._lock:
            self._open.discard(s)
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)
        s.close()

    def cut(self) -> None:
        """Cut all connections now."""
        with self._lock:
            cut = list(self._open)
        for s in cut:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._shut(self._listener)
        self.cut()


@contextlib.contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
