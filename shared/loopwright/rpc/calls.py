"""Outgoing calls: deadline with a reserve, W3C context, client span and metric, errors as faults."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from loopwright.faults import DeadlineExceeded, DeadlineMissing
from loopwright.rpc.deadline import current_deadline
from loopwright.rpc.retrying import Guard
from loopwright.rpc.status import fault_from_call
from loopwright.telemetry import METER, Meter, inject, names, open_span, server_attributes
from loopwright.telemetry.tracing import mark_failed

Metadata = tuple[tuple[str, str | bytes], ...]


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

    @contextmanager
    def call(self, path: str, timeout: float | None, metadata: Any) -> Iterator[tuple[float, Metadata]]:
        """Surrounds one call; yields its time-out and metadata.

        Raises:
            RemoteFault: the peer, or the way to it, failed.
            DeadlineMissing: see `timeout`.
            DeadlineExceeded: see `timeout`.
        """
        limit = self.timeout(timeout)
        method = path.removeprefix("/")
        attributes = {**self._about, names.RPC_METHOD.name: method}
        span = open_span(names.RPC_CLIENT, attributes, fill=method, kind=SpanKind.CLIENT)
        started = time.perf_counter()
        code = grpc.StatusCode.OK.name
        try:
            yield limit, (*(metadata or ()), *inject(trace.set_span_in_context(span)))
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            fault = fault_from_call(error)
            mark_failed(span, code)
            span.set_attribute(names.FAULT.name, fault.reason)
            raise fault from error
        except (asyncio.CancelledError, GeneratorExit):
            code = grpc.StatusCode.CANCELLED.name
            mark_failed(span, code)
            raise
        finally:
            span.set_attribute(names.RPC_RESPONSE_STATUS_CODE.name, code)
            span.end()
            self._meter.observe(
                names.RPC_CLIENT_DURATION,
                time.perf_counter() - started,
                rpc_method=method,
                rpc_response_status_code=code,
            )


class MethodCallable:
    """What a stub holds for one method.

    Args:
        outgoing: what all calls of the channel have in common.
        path: full name of the method, with its leading slash.
        inner: what gRPC's own channel gives for the method.
    """

    def __init__(self, outgoing: Outgoing, path: str, inner: Any) -> None:
        self._outgoing = outgoing
        self._path = path
        self._inner = inner


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
        with self._outgoing.call(self._path, timeout, metadata) as (limit, pairs):
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
