from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from loopwright.rpc import open_channel
from loopwright.rpc.upload import Upload

_WRITE_FAILED = "Internal error from Core"


class Call:
    """A call whose statuses come in the given order, the last one standing, as in grpc.aio."""

    def __init__(self, *statuses: tuple[grpc.StatusCode, str]) -> None:
        self._statuses = list(statuses)
        self._now: tuple[grpc.StatusCode, str] | None = None
        self._callbacks: list[Any] = []
        self.cancelled = 0

    def add_done_callback(self, callback: Any) -> None:
        self._callbacks.append(callback)

    def next_status(self) -> None:
        self._now = self._statuses.pop(0)
        for callback in self._callbacks:
            callback(self)

    async def code(self) -> grpc.StatusCode:
        assert self._now
        return self._now[0]

    async def details(self) -> str:
        assert self._now
        return self._now[1]

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata()

    async def write(self, request: Any) -> None:
        raise asyncio.InvalidStateError

    async def done_writing(self) -> None:
        return None

    def cancel(self) -> None:
        self.cancelled += 1


REFUSED = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID")
BROKEN = (grpc.StatusCode.INTERNAL, _WRITE_FAILED)


@pytest.mark.parametrize("order", [(REFUSED, BROKEN), (BROKEN, REFUSED)], ids=["status first", "write first"])
async def test_the_servers_status_stands_whatever_a_failed_write_says(order: Any) -> None:
    call = Call(*order)
    upload = Upload(call)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with upload.writing(_nothing()):
            call.next_status()
            asyncio.get_running_loop().call_later(0.01, call.next_status)
            raise grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, details=_WRITE_FAILED)
    assert caught.value.code() is REFUSED[0]
    assert call.cancelled == 1


async def test_without_any_word_of_the_server_the_failed_write_stands() -> None:
    call = Call(BROKEN)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with Upload(call).writing(_nothing()):
            call.next_status()
            raise grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, details=_WRITE_FAILED)
    assert caught.value.code() is grpc.StatusCode.INTERNAL


async def _nothing() -> AsyncIterator[Any]:
    for request in ():
        yield request


class OwnMistake(Exception):
    """Raised by the iterator of requests."""


async def test_what_the_callers_own_iterator_raises_reaches_the_caller(echo: SimpleNamespace) -> None:
    async def requests() -> AsyncIterator[Any]:
        yield echo.Request(text="x")
        raise OwnMistake

    async with echo.served() as server, open_channel(server.target) as channel:
        with pytest.raises(OwnMistake):
            await echo.Stub(channel).Collect(requests(), timeout=5)
        with pytest.raises(OwnMistake):
            async for _ in echo.Stub(channel).Chat(requests(), timeout=5):
                pass
