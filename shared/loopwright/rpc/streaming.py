"""Outgoing calls that stream requests, answers, or both; `MeshChannel` hands them to generated stubs."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from loopwright.rpc.calls import MethodCallable
from loopwright.rpc.upload import Upload


class UploadCallable(MethodCallable):
    """A method with many requests and one answer: `await stub.Method(requests, timeout=...)`."""

    async def __call__(
        self,
        requests: AsyncIterable[Any],
        *,
        timeout: float | None = None,
        metadata: Any = None,
        wait_for_ready: bool | None = None,
    ) -> Any:
        """Makes the call; cancelling the awaiting task cancels it.

        Raises:
            RemoteFault: the peer, or the way to it, failed.
        """
        with self._call(timeout, metadata) as (limit, pairs):
            call = self._inner(timeout=limit, metadata=pairs, wait_for_ready=wait_for_ready)
            async with Upload(call).writing(requests):
                return await call


class StreamingCallable(MethodCallable):
    """A method with one request and many answers: `async for answer in stub.Method(request, timeout=...)`."""

    async def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Any = None,
        wait_for_ready: bool | None = None,
    ) -> AsyncIterator[Any]:
        """Makes the call; closing the iterator cancels it.

        Raises:
            RemoteFault: the peer, or the way to it, failed.
        """
        with self._call(timeout, metadata) as (limit, pairs):
            call = self._inner(request, timeout=limit, metadata=pairs, wait_for_ready=wait_for_ready)
            try:
                async for answer in call:
                    yield answer
            finally:
                call.cancel()


class ExchangeCallable(MethodCallable):
    """A method with many requests and answers: `async for answer in stub.Method(requests, timeout=...)`."""

    async def __call__(
        self,
        requests: AsyncIterable[Any],
        *,
        timeout: float | None = None,
        metadata: Any = None,
        wait_for_ready: bool | None = None,
    ) -> AsyncIterator[Any]:
        """Makes the call; closing the iterator cancels it.

        Raises:
            RemoteFault: the peer, or the way to it, failed.
        """
        with self._call(timeout, metadata) as (limit, pairs):
            call = self._inner(timeout=limit, metadata=pairs, wait_for_ready=wait_for_ready)
            async with Upload(call).writing(requests):
                async for answer in call:
                    yield answer
