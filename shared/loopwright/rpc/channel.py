"""`open_channel`: a channel for generated stubs; every call has a deadline, a span, errors as faults."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import grpc

from loopwright.rpc.calls import GuardedCallable, Outgoing, UnaryCallable
from loopwright.rpc.options import channel_credentials, channel_options
from loopwright.rpc.retrying import Guard
from loopwright.rpc.settings import ChannelSettings, RetryPolicy
from loopwright.rpc.streaming import ExchangeCallable, StreamingCallable, UploadCallable
from loopwright.telemetry import METER, Meter


@asynccontextmanager
async def open_channel(
    target: str,
    settings: ChannelSettings | None = None,
    *,
    retry: RetryPolicy | None = None,
    meter: Meter = METER,
) -> AsyncIterator[MeshChannel]:
    """Opens a channel and closes it with the block. Nothing is connected before the first call.

    Args:
        target: `host:port`, `dns:///name:port`, or `ipv4:a:1,b:2`; calls go round robin over all addresses.
        settings: limits, keepalive, credentials, and the reserve kept back from the caller's deadline.
        retry: gRPC's retries; for callers of the front door only.
        meter: where the durations go.
    """
    chosen = settings or ChannelSettings()
    options, credentials = channel_options(chosen, retry), channel_credentials(chosen)
    inner = (
        grpc.aio.insecure_channel(target, options)
        if credentials is None
        else grpc.aio.secure_channel(target, credentials, options)
    )
    async with inner:
        yield MeshChannel(inner, Outgoing(target, chosen.reserve_s, meter))


class MeshChannel(grpc.aio.Channel):
    """A channel whose calls go through `Outgoing`.

    It wraps the channel instead of using gRPC's client interceptors: those cost a task per call, and keep
    abandoned calls alive.
    """

    def __init__(self, inner: grpc.aio.Channel, outgoing: Outgoing, guard: Guard | None = None) -> None:
        self._inner = inner
        self._outgoing = outgoing
        self._guard = guard

    def guarded(self, guard: Guard) -> MeshChannel:
        """Returns this channel with a breaker and a retry budget around its unary calls."""
        return MeshChannel(self._inner, self._outgoing, guard)

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Returns what a stub calls; awaiting it gives the answer."""
        plain = UnaryCallable(self._outgoing, method, self._inner.unary_unary(method, *args, **kwargs))
        return plain if self._guard is None else GuardedCallable(self._outgoing, self._guard, plain)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Returns what a stub calls with an async iterator; awaiting it gives the answer."""
        return UploadCallable(self._outgoing, method, self._inner.stream_unary(method, *args, **kwargs))

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Returns what a stub calls; iterating it gives the answers."""
        return StreamingCallable(self._outgoing, method, self._inner.unary_stream(method, *args, **kwargs))

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Returns what a stub calls with an async iterator; iterating it gives the answers."""
        return ExchangeCallable(self._outgoing, method, self._inner.stream_stream(method, *args, **kwargs))

    async def close(self, grace: float | None = None) -> None:
        """Closes the channel; calls still running are cancelled after `grace` seconds."""
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Returns the connectivity of the channel."""
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Waits until the connectivity differs from the one given."""
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Waits until the channel is connected; callers put their own time-out around it."""
        await self._inner.channel_ready()

    async def __aenter__(self) -> Self:
        """Returns the channel."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Closes the channel."""
        await self._inner.close()
