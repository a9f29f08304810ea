"""How a SQLAlchemy engine or URL connects to MySQL or MariaDB -> the same for Go's driver."""

from __future__ import annotations

from typing import Any

from .._errors import Unsupported
from ._target import Target

# What does not change what is written, or how.
_IGNORED = frozenset(
    {
        "auth_plugin", "autocommit", "binary_prefix", "buffered", "charset", "client_flag", "client_flags", "collation",
        "compress", "conv", "converter_class", "cursorclass", "local_infile", "pool_name", "pool_size", "program_name",
        "raise_on_warnings", "raw", "read_timeout", "sql_mode", "use_pure", "use_unicode", "write_timeout",
    }
)  # fmt: skip

_SETTINGS = ("time_zone", "sql_mode", "default_storage_engine")


def connect(target: Target) -> dict[str, Any]:
    """The options of Go's dialect that say how to connect.

    Raises:
        Unsupported: if Go would connect differently.
    """
    if target.kind == "engine":
        return _of_engine(target.con)
    if target.kind != "url":
        raise Unsupported("it is written over the caller's own connection")
    url = target.con
    arguments, parameters = url.get_dialect()().create_connect_args(url)
    if arguments:
        raise Unsupported("the URL is not made of parameters")
    return _options(dict(parameters), url.get_driver_name(), None) | {"tls": "preferred", "settings": {}}


def _of_engine(engine: Any) -> dict[str, Any]:
    """What an engine gives to its driver, listeners included, and what its sessions are like."""
    from sqlalchemy import event

    if engine.get_execution_options().get("schema_translate_map"):
        raise Unsupported("the engine translates schemas")
    seen: list[tuple[Any, dict[str, Any]]] = []

    def look(_dialect: Any, _record: Any, arguments: Any, parameters: dict[str, Any]) -> None:
        seen.append((arguments, dict(parameters)))

    event.listen(engine, "do_connect", look)
    try:
        raw = engine.pool.recreate().connect()
    finally:
        event.remove(engine, "do_connect", look)
    try:
        cursor = raw.cursor()
        cursor.execute("SELECT " + ", ".join(f"@@SESSION.{name}" for name in _SETTINGS) + ", @@socket")
        *values, socket = cursor.fetchone()
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        encrypted = bool((cursor.fetchone() or ("", ""))[1])
        cursor.close()
    finally:
        raw.invalidate()
    if len(seen) != 1 or seen[0][0]:
        raise Unsupported("the engine connects in its own way")
    options = _options(seen[0][1], engine.driver, socket)
    settings = {name: str(value) for name, value in zip(_SETTINGS, values, strict=True)}
    return options | {"tls": "skip-verify" if encrypted else "", "settings": settings}


def _options(parameters: dict[str, Any], driver: str, socket: str | None) -> dict[str, Any]:
    """The parameters of a driver's ``connect`` as Go's options."""
    taken: dict[str, Any] = {}
    for name, keys in {
        "host": ("host",),
        "port": ("port",),
        "user": ("user", "username"),
        "password": ("passwd", "password"),
        "database": ("db", "database"),
        "unix_socket": ("unix_socket",),
        "timeout": ("connect_timeout", "connection_timeout"),
    }.items():
        for key in keys:
            value = parameters.pop(key, None)
            taken[name] = value if value is not None else taken.get(name)
    for name, value in parameters.items():
        if value is not None and name not in _IGNORED:
            raise Unsupported(f"the connection has {name}")
    if callable(taken["password"]) or isinstance(taken["host"], (list, tuple)):
        raise Unsupported("the connection is made in a way of its driver's own")
    host, path = taken["host"] or "localhost", taken["unix_socket"]
    if not path and driver == "mysqldb" and host == "localhost":
        if socket is None:
            raise Unsupported("mysqlclient finds the server's socket by its own settings")
        path = socket
    host = f"[{host}]" if ":" in host else host
    password = taken["password"] or ""
    timeout = float(taken["timeout"] or 0)
    return {
        "network": "unix" if path else "tcp",
        "address": path or f"{host}:{taken['port'] or 3306}",
        "user": taken["user"] or "",
        "password": password.decode() if isinstance(password, bytes) else password,
        "database": taken["database"] or "",
        "connect_timeout": int(timeout * 1_000_000_000),
    }
