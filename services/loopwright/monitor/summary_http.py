"""A loopback HTTP port with one resource, `GET /summary`: JSON computed at the call, for commands and people."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from loopwright.faults import Fault

LOOPBACK = "127.0.0.1"
_HEAD_TIMEOUT_S = 5.0
_MAX_HEAD_BYTES = 8192

Summarise = Callable[[], Awaitable[dict[str, Any]]]


@asynccontextmanager
async def summary_port(port: int, summarise: Summarise) -> AsyncIterator[int]:
    """Serve while the block runs; yields the bound port.

    Args:
        port: TCP port; 0 takes a free one.
        summarise: Computes the answer; a fault it raises is answered 503 with its reason.

    Raises:
        OSError: The port is taken.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            status, body = await _respond(reader, summarise)
            writer.write(_encoded(status, body))
            await writer.drain()
        except ConnectionError:
            return  # the caller has gone; there is nobody to tell
        finally:
            writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, port, limit=_MAX_HEAD_BYTES)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _respond(reader: asyncio.StreamReader, summarise: Summarise) -> tuple[HTTPStatus, dict[str, Any]]:
    try:
        async with asyncio.timeout(_HEAD_TIMEOUT_S):
            head = await reader.readuntil(b"\r\n\r\n")
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return HTTPStatus.BAD_REQUEST, {"reason": "BAD_REQUEST"}
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    if rest.partition(" ")[0].partition("?")[0] != "/summary":
        return HTTPStatus.NOT_FOUND, {"reason": "NOT_FOUND"}
    if method != "GET":
        return HTTPStatus.METHOD_NOT_ALLOWED, {"reason": "METHOD_NOT_ALLOWED"}
    try:
        return HTTPStatus.OK, await summarise()
    except Fault as fault:
        return HTTPStatus.SERVICE_UNAVAILABLE, {"reason": fault.reason, "message": fault.message}


def _encoded(status: HTTPStatus, body: dict[str, Any]) -> bytes:
    content = json.dumps(body, sort_keys=True).encode()
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode() + content
