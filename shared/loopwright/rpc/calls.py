"""Outgoing calls: deadline with a reserve, W3C context, client span and metric, errors as faults."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import grpc
from opentelemetry.trace import Span, SpanKind

from loopwright.faults import DeadlineExceeded, DeadlineMissing, RemoteFault
from loopwright.rpc.deadline import current_deadline
from loopwright.rpc.retrying import Guard
from loopwright.rpc.status import fault_from_call
from loopwright.telemetry import METER, Meter, inject, names, open_span, server_attributes
from loopwright.telemetry.tracing import Value, mark_failed

Metadata = tuple[tuple[str, str | bytes], ...]
_OK = grpc.StatusCode.OK.name
_ABANDONED = (asyncio.CancelledError, GeneratorExit)


class Outgoing:
    """What every outgoing call of a channel has in common.

    Args:
        target: the channel's target, for the span.
        reserve_s: seconds of the served call's remaining time that are kept for our own answer.
        meter: where the durations go.
    """

    def __init__(self, target: str, reserve_s: float, meter: Meter = METER) -> None:
        self._about = {names.RPC_SYSTEM_NAME.name: "grpc", **server_attributes(target)}
        self._reserve_s = reserve_s
        self._meter = meter

    def timeout(self, wanted: float | None) -> float:
        """Returns the seconds a call gets: what its caller wants, at most the served call's less the reserve.

        Raises:
            DeadlineMissing: neither the caller nor a served call sets a limit.
            DeadlineExceeded: nothing is left; the call is not sent.
        """
        current = current_deadline()
        if current is not None:
            left = current.remaining() - self._reserve_s
            wanted = left if wanted is None else min(wanted, left)
        if wanted is None:
            raise DeadlineMissing()
        if wanted <= 0:
            raise DeadlineExceeded()
        return wanted

    def about(self, method: str) -> dict[str, Value]:
        """Returns the attributes of a span of a call of the method."""
        return {**self._about, names.RPC_METHOD.name: method}

    def took(self, method: str, seconds: float, code: str, span: Span) -> None:
        """Notes how long a call took, how it ended and which span it was."""
        self._meter.observe(names.RPC_CLIENT_DURATION, seconds, span, rpc_method=method, rpc_response_status_code=code)


class Call:
    """Surrounds one call: deadline, span, metric, errors as faults."""

    __slots__ = ("_about", "_metadata", "_method", "_outgoing", "_span", "_started", "_timeout")

    def __init__(
        self, outgoing: Outgoing, method: str, about: Mapping[str, Value], timeout: float | None, metadata: Any
    ) -> None:
        self._outgoing, self._method, self._about = outgoing, method, about
        self._timeout, self._metadata = timeout, metadata

    def __enter__(self) -> tuple[float, Metadata]:
        """Returns the time-out and the metadata to send.

        Raises:
            DeadlineMissing: see `Outgoing.timeout`.
            DeadlineExceeded: see `Outgoing.timeout`.
        """
        limit = self._outgoing.timeout(self._timeout)
        self._span = open_span(names.RPC_CLIENT, self._about, fill=self._method, kind=SpanKind.CLIENT)
        self._started = time.perf_counter()
        context = inject(self._span)
        return limit, (*self._metadata, *context) if self._metadata else context

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """Ends span and measurement.

        Raises:
            RemoteFault: the peer, or the way to it, failed.
        """
        span, code = self._span, _OK
        fault: RemoteFault | None = None
        if isinstance(error, grpc.aio.AioRpcError):
            code = error.code().name
            fault = fault_from_call(error)
            mark_failed(span, code)
            span.set_attribute(names.FAULT.name, fault.reason)
        elif isinstance(error, _ABANDONED):
            code = grpc.StatusCode.CANCELLED.name
            mark_failed(span, code)
        elif error is not None:
            code = grpc.StatusCode.UNKNOWN.name
            mark_failed(span, code)
        span.set_attribute(names.RPC_RESPONSE_STATUS_CODE.name, code)
        span.end()
        self._outgoing.took(self._method, time.perf_counter() - self._started, code, span)
        if fault is not None:
            raise fault from error


class MethodCallable:
    """What a stub holds for one method.

    Args:
        outgoing: what all calls of the channel have in common.
        path: full name of the method, with its leading slash.
        inner: what gRPC's own channel gives for the method.
    """

    def __init__(self, outgoing: Outgoing, path: str, inner: Any) -> None:
        self._outgoing = outgoing
        self._method = path.removeprefix("/")
        self._about = outgoing.about(self._method)
        self._inner = inner

    def _call(self, timeout: float | None, metadata: Any) -> Call:
        """Returns what surrounds one call; entering it gives the call's time-out and metadata."""
        return Call(self._outgoing, self._method, self._about, timeout, metadata)


class UnaryCallable(MethodCallable):
    """A method with one answer: `await stub.Method(request, timeout=...)`."""

    async def __call__(
        self,
        request: Any,
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
            return await self._inner(request, timeout=limit, metadata=pairs, wait_for_ready=wait_for_ready)


class GuardedCallable:
    """A method with one answer, behind the breaker and the retry budget of its leaf."""

    def __init__(self, outgoing: Outgoing, guard: Guard, inner: UnaryCallable) -> None:
        self._outgoing = outgoing
        self._guard = guard
        self._inner = inner

    async def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Any = None,
        wait_for_ready: bool | None = None,
    ) -> Any:
        """Makes the call, a second time where that may help; both share the time given.

        Raises:
            BreakerOpen: the leaf is being left alone; nothing was sent.
            RemoteFault: the peer, or the way to it, failed.
        """

        async def attempt(limit_s: float) -> Any:
            return await self._inner(request, timeout=limit_s, metadata=metadata, wait_for_ready=wait_for_ready)

        return await self._guard.call(attempt, self._outgoing.timeout(timeout))
