"""How PostgreSQL is connected to, in the words of libpq, which Go takes as well.

An engine is asked for a connection, which tells what it was made with, wherever that came from: the URL,
``connect_args``, a service file, the environment, an event listener.
What Go's driver cannot do leaves the write to the library.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from .._errors import Unsupported
from ._target import Target

# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_TAKEN = frozenset(
    [
        *("host", "port", "dbname", "user", "password", "passfile", "service", "connect_timeout"),
        *("sslmode", "sslnegotiation", "sslcert", "sslkey", "sslpassword", "sslcertmode", "sslrootcert", "sslsni"),
        *("application_name", "options", "target_session_attrs", "channel_binding", "require_auth"),
    ]
)
# What has no effect on where the data goes and who sees it on the way.
_IGNORED = frozenset(
    [
        *("client_encoding", "fallback_application_name", "sslcompression", "tty", "load_balance_hosts"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
        *("krbsrvname", "gsslib", "gssdelegation", "min_protocol_version", "max_protocol_version"),
        *("scram_client_key", "scram_server_key", "sslkeylogfile"),
    ]
)
# What may be left out if it has one of these values.
_HARMLESS = {
    "gssencmode": ("disable", "prefer", "allow"),
    "ssl_min_protocol_version": ("", "TLSv1", "TLSv1.1", "TLSv1.2"),
    "ssl_max_protocol_version": ("", "TLSv1.3"),
    "sslcrl": ("",),
    "sslcrldir": ("",),
    "requirepeer": ("",),
    "requiressl": ("", "0"),
    "replication": ("", "false", "off", "no", "0"),
}
# https://www.postgresql.org/docs/current/libpq-envars.html
_ENVIRONMENT = {
    "PGHOST": "host",
    "PGHOSTADDR": "hostaddr",
    "PGPORT": "port",
    "PGDATABASE": "dbname",
    "PGUSER": "user",
    "PGPASSWORD": "password",
    "PGPASSFILE": "passfile",
    "PGSERVICE": "service",
    "PGOPTIONS": "options",
    "PGAPPNAME": "application_name",
    "PGSSLMODE": "sslmode",
    "PGSSLCERT": "sslcert",
    "PGSSLKEY": "sslkey",
    "PGSSLROOTCERT": "sslrootcert",
    "PGSSLCRL": "sslcrl",
    "PGREQUIREPEER": "requirepeer",
    "PGGSSENCMODE": "gssencmode",
    "PGCONNECT_TIMEOUT": "connect_timeout",
    "PGTARGETSESSIONATTRS": "target_session_attrs",
    "PGCHANNELBINDING": "channel_binding",
}
_SESSION = (
    "SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings WHERE source = 'session' AND context <> "
    "'internal' AND name NOT IN ('client_encoding', 'role', 'session_authorization') AND left(name, 12) "
    "<> 'transaction_' UNION ALL SELECT 'role', current_user::text WHERE current_user <> session_user"
)


def connect(target: Target) -> dict[str, Any]:
    """How Go connects as the caller's engine or URL does: some of the options of ``core/database/postgres``.

    Raises:
        Unsupported: if Go cannot.
    """
    if target.kind == "url":
        return {"connection": _text(_from_environment() | _of_url(target.con))}
    if target.kind == "engine":
        return _of_engine(target.con)
    if target.kind == "dbapi":
        return _of_dbapi(target.con)
    raise Unsupported("an open connection is the caller's, and so is its transaction")


def _of_url(url: Any) -> dict[str, Any]:
    driver = url.get_driver_name()
    parameters: dict[str, Any]
    if driver in ("psycopg", "psycopg2", "psycopg2cffi", "psycopg_async"):
        args, parameters = url.get_dialect()().create_connect_args(url)
        if args:
            return parameters | _of_dsn(args[0])
        return dict(parameters)
    if url.query:
        raise Unsupported(f"the parameters of {driver} are its own")
    named = {"host": url.host, "port": url.port, "dbname": url.database, "user": url.username, "password": url.password}
    return {key: value for key, value in named.items() if value is not None}


def _of_dsn(text: str) -> dict[str, Any]:
    if text:
        raise Unsupported("the URL is not made of parameters")
    return {}


def _from_environment() -> dict[str, str]:
    return {key: os.environ[name] for name, key in _ENVIRONMENT.items() if os.environ.get(name)}


def _of_engine(engine: Any) -> dict[str, Any]:
    if engine.get_execution_options().get("schema_translate_map"):
        raise Unsupported("the engine translates schemas")
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        parameters = _of_raw(raw, engine.url)
        settings = dict(map(tuple, connection.exec_driver_sql(_SESSION)))
    role = settings.pop("role", "")
    return {"connection": _text(parameters), "settings": settings, "role": role}


def _of_dbapi(con: Any) -> dict[str, Any]:
    """Of psycopg's own connection, which must be in no transaction: Go has one of its own."""
    if con.closed:
        raise ValueError("con is closed, or its connection was lost: open another one")
    if int(con.info.transaction_status) != 0:
        raise ValueError(
            "con is in a transaction, which atio cannot write in: commit it first, or pass a SQLAlchemy Connection"
        )
    with con.cursor() as cursor:
        cursor.execute(_SESSION)
        settings = dict(map(tuple, cursor.fetchall()))
    con.rollback()  # of nothing but the query
    role = settings.pop("role", "")
    return {"connection": _text(_of_raw(con, None)), "settings": settings, "role": role}


def parameters_of(con: Any) -> dict[str, Any]:
    """What psycopg's own connection was made with, for another one."""
    return _of_raw(con, None)


def _of_raw(raw: Any, url: Any) -> dict[str, Any]:
    """What an open connection was made with."""
    info: Any = getattr(raw, "info", None)
    if hasattr(info, "get_parameters"):  # psycopg
        parameters = dict(info.get_parameters())
    elif hasattr(info, "dsn_parameters"):  # psycopg2
        parameters = dict(info.dsn_parameters)
    else:
        return _of_other(raw, url)
    # The server that was found, of several perhaps.
    parameters |= {"host": info.host, "port": info.port, "dbname": info.dbname, "user": info.user}
    parameters.pop("service", None)
    if "hostaddr" in parameters and hasattr(info, "hostaddr"):
        parameters["hostaddr"] = info.hostaddr
    if info.password:
        parameters["password"] = info.password
    return parameters


def _of_other(raw: Any, url: Any) -> dict[str, Any]:
    """Of a driver that does not tell, which is believed to have connected as the URL says if nothing contradicts."""
    if type(raw).__module__.partition(".")[0] != "pg8000" or url.query:
        raise Unsupported(f"{type(raw).__module__} does not tell how it connected")
    import ssl

    sock = raw._usock
    if isinstance(sock, ssl.SSLSocket):
        raise Unsupported("pg8000 does not tell how it verifies the server's certificate")
    peer = sock.getpeername()
    host, port = peer[:2] if isinstance(peer, tuple) else (os.path.dirname(peer), peer.rpartition(".")[2])
    user = raw.user.decode() if isinstance(raw.user, bytes) else raw.user
    password = raw.password.decode() if isinstance(raw.password, bytes) else raw.password
    found = {"host": host, "port": port, "user": user, "dbname": url.database or user, "sslmode": "disable"}
    return found | ({"password": password} if password else {})


def _is_address(address: str, parameters: dict[str, Any]) -> bool:
    """Whether the host's name stands for the address, so that the name will do."""
    host, port = str(parameters.get("host", "")), str(parameters.get("port", ""))
    try:
        return any(found[4][0] == address for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return False


def _text(parameters: dict[str, Any]) -> str:
    """Parameters as libpq reads them, without those that Go's driver does not need.

    Raises:
        Unsupported: if one matters and Go's driver does not have it.
    """
    kept = {}
    for name, value in parameters.items():
        if value is None or name in _IGNORED:
            continue
        if name in _TAKEN:
            kept[name] = str(value)
        elif name == "hostaddr" and _is_address(str(value), parameters):
            continue
        elif str(value) not in _HARMLESS.get(name, ()):
            raise Unsupported(f"the connection has {name}")
    if kept.get("sslmode") in ("disable", "allow") and kept.get("channel_binding") == "require":
        raise Unsupported("channel_binding=require")
    quoted = {k: v.replace("\\", "\\\\").replace("'", "\\'") for k, v in kept.items()}
    return " ".join(f"{k}='{v}'" for k, v in quoted.items())
