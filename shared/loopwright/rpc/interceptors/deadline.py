"""Second layer: refuses calls without a deadline and binds it, so that outgoing calls are cut to it."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace

from loopwright.faults import DeadlineExceeded, DeadlineMissing
from loopwright.rpc.deadline import Deadline, bound
from loopwright.rpc.interceptors.layer import Behaviour, Context, Layer, Method
from loopwright.rpc.status import abort_with
from loopwright.telemetry import names


class DeadlineLayer(Layer):
    """Gives each call its `Deadline`; gRPC itself cancels the handler when it passes."""

    async def handle(self, method: Method, proceed: Behaviour, request: Any, context: Context) -> Any:
        """Serves the call under its deadline; health and reflection need none."""
        remaining: float | None = context.time_remaining()
        if remaining is None:
            if not method.infrastructure:
                await abort_with(context, DeadlineMissing())
            return await proceed(request, context)
        if remaining <= 0:
            await abort_with(context, DeadlineExceeded())
        trace.get_current_span().set_attribute(names.DEADLINE_REMAINING.name, remaining)
        with bound(Deadline.received(remaining)):
            return await proceed(request, context)
