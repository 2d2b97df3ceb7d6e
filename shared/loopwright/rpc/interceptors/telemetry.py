"""Outermost layer: a server span that continues the caller's trace, and the duration by final status."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import grpc
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import INVALID_SPAN, Span

from loopwright.rpc.interceptors.layer import Behaviour, Context, Layer, Method
from loopwright.telemetry import METER, Meter, names
from loopwright.telemetry.tracing import mark_failed, open_server_span

_CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}
_OK = grpc.StatusCode.OK.name
_ERRORS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
"""Statuses that are the server's failure by the conventions; the others tell the client about its own request."""
# The client's clock for a call starts earlier, so its reset reaches us a little before our own deadline.
_DEADLINE_SKEW_S = 0.02


class TelemetryLayer(Layer):
    """Measures every call, the refused ones too; never changes what happens."""

    def __init__(self, meter: Meter = METER) -> None:
        self._meter = meter

    async def handle(self, method: Method, proceed: Behaviour, request: Any, context: Context) -> Any:
        """Serves the call inside a span named after the method."""
        span = _server_span(method, context)
        started = time.perf_counter()
        code = _OK
        token = attach(trace.set_span_in_context(span))
        try:
            answer = await proceed(request, context)
            code = _code_name(context)
            return answer
        except asyncio.CancelledError:
            code = _cancellation(context.time_remaining())
            raise
        except grpc.aio.AbortError:
            code = _code_name(context)
            raise
        except Exception:
            code = grpc.StatusCode.UNKNOWN.name
            raise
        finally:
            detach(token)
            self._finish(span, method, code, time.perf_counter() - started)

    def _finish(self, span: Span, method: Method, code: str, seconds: float) -> None:
        span.set_attribute(names.RPC_RESPONSE_STATUS_CODE.name, code)
        if code in _ERRORS:
            mark_failed(span, code)
        span.end()
        self._meter.observe(
            names.RPC_SERVER_DURATION, seconds, span, rpc_method=method.name, rpc_response_status_code=code
        )


def _server_span(method: Method, context: Context) -> Span:
    if method.infrastructure:  # probes of health come every second and would be most of the spans
        return INVALID_SPAN
    metadata: Any = context.invocation_metadata() or ()
    attributes = {names.RPC_SYSTEM_NAME.name: "grpc", names.RPC_METHOD.name: method.name}
    return open_server_span(names.RPC_SERVER, attributes, method.name, metadata)


def _code_name(context: Context) -> str:
    code: Any = context.code()
    if code is None:  # nobody set one
        return _OK
    return code.name if isinstance(code, grpc.StatusCode) else _CODE_NAMES.get(code or 0, "UNKNOWN")


def _cancellation(remaining: float | None) -> str:
    expired = remaining is not None and remaining <= _DEADLINE_SKEW_S
    return grpc.StatusCode.DEADLINE_EXCEEDED.name if expired else grpc.StatusCode.CANCELLED.name
