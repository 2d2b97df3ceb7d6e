"""Second layer: refuses calls without a deadline and binds it, so that outgoing calls are cut to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from opentelemetry import trace

from loopwright.faults import DeadlineExceeded, DeadlineMissing
from loopwright.rpc.alarms import alarms
from loopwright.rpc.deadline import Deadline, bound
from loopwright.rpc.interceptors.layer import Behaviour, Context, Layer, Method
from loopwright.rpc.status import abort_with
from loopwright.telemetry import METER, Meter, names

OVERRUN_S = 0.05
"""Work past the deadline that a handler may need to unwind; more is an overrun."""

LINGER_S = 0.25
"""How long a handler may be there past the deadline without working: a loop whose process gets little of the processor
takes several turns to cancel it."""


class DeadlineLayer(Layer):
    """Gives each call its `Deadline`; gRPC itself cancels the handler when it passes.

    Handlers that work on well past it, cancelled or not, are counted: nobody waited for that work. A process that got
    no turn of the processor did not work: what is judged is what the process computed after it could know that the time
    was over, and handlers that linger.
    """

    def __init__(
        self,
        meter: Meter = METER,
        clock: Callable[[], float] = time.monotonic,
        expired: Callable[[], None] = lambda: None,
        computed: Callable[[], float] = time.process_time,
    ) -> None:
        """Take where overruns go, the clock, who hears of calls that came too late, and the processor's clock."""
        self._computed = computed
        self._expired = expired
        self._meter = meter
        self._clock = clock

    async def handle(self, method: Method, proceed: Behaviour, request: Any, context: Context) -> Any:
        """Serves the call under its deadline; health and reflection need none."""
        remaining: float | None = context.time_remaining()
        if remaining is None:
            if not method.infrastructure:
                await abort_with(context, DeadlineMissing())
            return await proceed(request, context)
        if remaining <= 0:
            self._expired()
            await abort_with(context, DeadlineExceeded())
        trace.get_current_span().set_attribute(names.DEADLINE_REMAINING.name, remaining)
        known: list[float] = []
        mine = alarms()
        alarm = mine.after(remaining, lambda: known.append(self._computed()))
        begun = self._computed()
        with bound(Deadline.received(remaining, self._clock)) as deadline:
            try:
                return await proceed(request, context)
            finally:
                mine.call_off(alarm)
                past_s = self._clock() - deadline.instant
                if past_s > OVERRUN_S:
                    computed_s = self._computed() - (known[0] if known else begun)
                    if past_s > LINGER_S or computed_s > OVERRUN_S:
                        self._meter.count(names.RPC_OVERRUNS, rpc_method=method.name)
