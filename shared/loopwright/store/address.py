"""`Address`: where the store is, from the same URLs that the client library takes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from loopwright.store.wire import Command, Wire

_SCHEMES = ("redis", "rediss", "unix")
_TLS = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_PORT = 6379


@dataclass(frozen=True, slots=True)
class Address:
    """A server and how to greet it.

    Attributes:
        host: Name or address; empty for a unix socket.
        port: TCP port.
        path: Unix socket; empty for TCP.
        tls: What the server's certificate is checked with; None without TLS.
        greeting: Commands that every connection begins with.
    """

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None
    greeting: tuple[Command, ...]

    @classmethod
    def of(cls, url: str) -> Address:
        """Return the address that `redis://`, `rediss://` or `unix://` names.

        User, password and database (as path, or `db` behind the `?`) are known, and of TLS `ssl_ca_certs`,
        `ssl_certfile` and `ssl_keyfile`; certificates and host names are always checked.

        Raises:
            ValueError: Another scheme, another option, or a database that is no number.
            OSError: A file of TLS cannot be read.
        """
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES:
            raise ValueError(f"redis_url: scheme must be one of {', '.join(_SCHEMES)}, is {parts.scheme!r}")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        unknown = sorted(options.keys() - {"db"} - (_TLS if parts.scheme == "rediss" else frozenset()))
        if unknown:
            raise ValueError(f"redis_url: unknown options {', '.join(unknown)}")
        unix = parts.scheme == "unix"
        return cls(
            host="" if unix else unquote(parts.hostname or "localhost"),
            port=parts.port or _PORT,
            path=unquote(parts.path) if unix else "",
            tls=_tls(options) if parts.scheme == "rediss" else None,
            greeting=_greeting(parts, options.get("db", "" if unix else parts.path.strip("/"))),
        )

    async def connect(self, make: Callable[[], Wire]) -> Wire:
        """Return a new connection, not greeted yet.

        Raises:
            OSError: Nobody listens there, or the certificate is not right.
        """
        loop = asyncio.get_running_loop()
        if self.path:
            return (await loop.create_unix_connection(make, self.path))[1]
        return (await loop.create_connection(make, self.host, self.port, ssl=self.tls))[1]


def _tls(options: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
    if "ssl_certfile" in options:
        context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"))
    return context


def _greeting(parts: SplitResult, database: str) -> tuple[Command, ...]:
    if database and not database.isdecimal():
        raise ValueError(f"redis_url: the database must be a number, is {database!r}")
    commands: list[Command] = []
    if parts.password:
        names = (unquote(parts.username),) if parts.username else ()
        commands.append(("AUTH", *names, unquote(parts.password)))
    if int(database or 0):
        commands.append(("SELECT", database))
    return tuple(commands)
