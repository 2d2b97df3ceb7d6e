from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from loopwright.faults import LogUnavailable
from loopwright.monitor.summary_http import summary_port


async def exchange(port: int, request: bytes) -> tuple[int, dict[str, Any]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    return int(head.split()[1]), json.loads(body)


async def one() -> dict[str, Any]:
    return {"b": 1, "a": 0.5}


async def away() -> dict[str, Any]:
    raise LogUnavailable()


async def test_the_summary_is_answered_as_json() -> None:
    async with summary_port(0, one) as port:
        assert await exchange(port, b"GET /summary HTTP/1.1\r\nHost: x\r\n\r\n") == (200, {"a": 0.5, "b": 1})


async def test_a_fault_is_answered_with_its_reason() -> None:
    async with summary_port(0, away) as port:
        status, body = await exchange(port, b"GET /summary HTTP/1.1\r\n\r\n")
    assert (status, body["reason"]) == (503, "LOG_UNAVAILABLE")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"POST /summary HTTP/1.1\r\n\r\n", 405),
        (b"nonsense", 400),
        (b"GET /summary HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 400),
    ],
)
async def test_anything_else_is_refused(request_bytes: bytes, status: int) -> None:
    async with summary_port(0, one) as port:
        assert (await exchange(port, request_bytes))[0] == status
