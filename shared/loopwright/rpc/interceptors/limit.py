"""Fourth layer, where a server has a limit: sheds calls above the adaptive number in flight, in microseconds."""

from __future__ import annotations

from typing import Any

from loopwright.faults import Overloaded
from loopwright.rpc.deadline import current_deadline
from loopwright.rpc.in_flight import InFlightLimit
from loopwright.rpc.interceptors.layer import Behaviour, Context, Layer, Method
from loopwright.rpc.status import abort_with
from loopwright.telemetry import METER, Meter, names


class LimitLayer(Layer):
    """Refuses with OVERLOADED and RetryInfo what would only wait; health and reflection are never refused."""

    def __init__(self, limit: InFlightLimit, meter: Meter = METER) -> None:
        self._limit = limit
        self._meter = meter
        self._told = limit.limit
        meter.gauge(names.IN_FLIGHT_LIMIT, self._told)

    async def handle(self, method: Method, proceed: Behaviour, request: Any, context: Context) -> Any:
        """Serves the call when there is room."""
        deadline = current_deadline()
        if method.infrastructure or deadline is None:
            return await proceed(request, context)
        ticket = self._limit.enter(method.name, deadline.remaining())
        if ticket is None:
            self._meter.count(names.REQUESTS_SHED, rpc_method=method.name)
            await abort_with(context, Overloaded())
        answered = False
        try:
            answer = await proceed(request, context)
            answered = True
            return answer
        finally:
            self._limit.leave(ticket, answered)
            if self._limit.limit != self._told:
                self._told = self._limit.limit
                self._meter.gauge(names.IN_FLIGHT_LIMIT, self._told)
