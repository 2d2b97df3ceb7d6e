"""`Upload`: the client's side of a call that streams requests; writes them, and knows how the call really ended.

grpc.aio loses the server's status when a write meets the end of the call: the failed write puts INTERNAL in its
place, and its own reader of request iterators cancels the call (grpc/grpc issue 36066). Here the status is noted as
it comes, and what a failed write says never stands for what the server said.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import grpc

T = TypeVar("T")
_WRITE_FAILED = "Internal error from Core"
_STATUS_WITHIN_S = 0.25  # a write that failed before the status came: it is on its way over the same connection


class Upload:
    """One call and the requests that go into it.

    Args:
        call: what the method gave for no request iterator.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._told: asyncio.Future[grpc.aio.AioRpcError] = asyncio.get_running_loop().create_future()
        self._broken: Exception | None = None
        call.add_done_callback(self._note)

    @asynccontextmanager
    async def writing(self, requests: AsyncIterable[Any]) -> AsyncIterator[None]:
        """Writes the requests while the block reads the call; leaving the block ends the call.

        Raises:
            grpc.aio.AioRpcError: with the status that the server gave.
            Exception: what the requests' own iterator raised.
        """
        writer = asyncio.ensure_future(self._write(requests))
        try:
            yield
        except grpc.aio.AioRpcError as error:
            raise await self._status(error) from error
        except asyncio.CancelledError:
            if self._broken is not None:
                raise self._broken from None
            raise
        finally:
            self._call.cancel()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _write(self, requests: AsyncIterable[Any]) -> None:
        try:
            async for request in requests:
                if not await self._sent(self._call.write(request)):
                    return
        except Exception as error:
            self._broken = error
            self._call.cancel()
            return
        await self._sent(self._call.done_writing())

    async def _sent(self, writing: Coroutine[Any, Any, None]) -> bool:
        try:
            await writing
        except Exception:  # several of gRPC's, some private: the call is over, and the reading side is told why
            return False
        return True

    async def _status(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        if error.details() != _WRITE_FAILED:
            return error
        try:
            async with asyncio.timeout(_STATUS_WITHIN_S):
                told = await asyncio.shield(self._told)
        except TimeoutError:
            return error
        return error if told.code() is grpc.StatusCode.OK else told

    def _note(self, call: Any) -> None:
        details = _now(call.details())
        if details != _WRITE_FAILED and not self._told.done():
            code, trailers = _now(call.code()), _now(call.trailing_metadata())
            self._told.set_result(grpc.aio.AioRpcError(code, trailing_metadata=trailers, details=details))


def _now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Returns what a coroutine gives that has nothing to wait for, as those of an ended call have not."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    coroutine.close()
    raise RuntimeError("the call has not ended")
