"""`Guard`: what stands around every call to one leaf: its breaker, and one second attempt where that may help.

`MeshChannel.guarded` puts it around unary calls; only the front door does so, so there is one retry layer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from loopwright.faults import BreakerOpen, Kind, RemoteFault
from loopwright.rpc.breaker import Breaker, Permit
from loopwright.rpc.settings import BreakerSettings, RetrySettings
from loopwright.telemetry import METER, Meter, names

T = TypeVar("T")
_AGAINST = frozenset({Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED})
_ABOUT_THE_REQUEST = frozenset({"ANSWER_PENDING"})
_STILL_LOADING = frozenset({"NOT_READY", "INDEX_NOT_READY"})
# A stage's time-out fires at the instant that the call's own limit ends; timers may be a little early.
_WHOLE_TIME = 0.9


class RetryBudget:
    """Token bucket: every call puts in a share of a token, a second attempt takes a whole one."""

    def __init__(self, settings: RetrySettings) -> None:
        self._ratio = settings.budget_ratio
        self._burst = float(settings.burst_calls)
        self._tokens = self._burst if self._ratio else 0.0

    def earn(self) -> None:
        """Notes a first attempt."""
        self._tokens = min(self._burst, self._tokens + self._ratio)

    def take(self) -> bool:
        """Takes the token of a second attempt; False when there is none."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Guard:
    """Breaker and second attempts of one leaf; every caller of the leaf shares it.

    Args:
        target: name of the leaf.
        breaker: when to leave it alone.
        retries: how many second attempts; None: no second attempts.
        clock: monotonic seconds.
        sleep: waits before a second attempt.
        meter: where state and counts go.
    """

    def __init__(
        self,
        target: str,
        breaker: BreakerSettings,
        retries: RetrySettings | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        meter: Meter = METER,
    ) -> None:
        self.breaker = Breaker(target, breaker, clock, meter)
        self._sleep = sleep
        self._target = target
        self._fair_s = breaker.fair_call_s
        self._retries = retries
        self._budget = RetryBudget(retries) if retries is not None else None
        self._clock = clock
        self._meter = meter

    async def call(self, attempt: Callable[[float], Awaitable[T]], limit_s: float) -> T:
        """Makes a call that is given `limit_s` seconds in all; `attempt` takes the seconds it may use.

        Raises:
            BreakerOpen: the leaf is being left alone; nothing was sent.
            RemoteFault: the leaf, or the way to it, failed; the first attempt's when a second was not made.
        """
        started = self._clock()
        if self._budget is not None:
            self._budget.earn()
        try:
            return await self._once(attempt, limit_s)
        except RemoteFault as fault:
            if self._retries is None or not self._again(fault, limit_s - (self._clock() - started), self._retries):
                raise
            await self._sleep(self._retries.wait_s)
            try:
                return await self._once(attempt, max(0.0, limit_s - (self._clock() - started)))
            except BreakerOpen:
                raise fault from None

    async def _once(self, attempt: Callable[[float], Awaitable[T]], limit_s: float) -> T:
        permit = self.breaker.admit()
        judge: Callable[[Permit], None] = self.breaker.abandoned
        try:
            answer = await attempt(limit_s)
            judge = self.breaker.succeeded
            return answer
        except RemoteFault as fault:
            judge = self._judgement(fault, limit_s)
            raise
        except asyncio.CancelledError:
            # The stage's time-out cancels us when the time given is over; a caller that leaves does so earlier.
            if self._clock() - permit.started >= _WHOLE_TIME * limit_s:
                judge = self._late(limit_s)
            raise
        finally:
            judge(permit)

    def _judgement(self, fault: RemoteFault, limit_s: float) -> Callable[[Permit], None]:
        if fault.kind is Kind.DEADLINE:
            return self._late(limit_s)
        against = fault.kind in _AGAINST and fault.reason not in _ABOUT_THE_REQUEST
        return self.breaker.failed if against else self.breaker.succeeded

    def _late(self, limit_s: float) -> Callable[[Permit], None]:
        return self.breaker.failed if limit_s >= self._fair_s else self.breaker.abandoned

    def _again(self, fault: RemoteFault, left_s: float, retries: RetrySettings) -> bool:
        if left_s < retries.wait_s + retries.least_left_s or not may_be_answered_elsewhere(fault):
            return False
        if self._budget is None or not self._budget.take():
            return False
        self._meter.count(names.RPC_RETRIES, target=self._target)
        return True


def may_be_answered_elsewhere(fault: RemoteFault) -> bool:
    """Tells whether another replica may answer: the way to this one failed, or it is still loading."""
    return fault.kind is Kind.UNAVAILABLE and (not fault.answered or fault.reason in _STILL_LOADING)
