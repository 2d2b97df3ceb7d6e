"""`Breaker`: leaves a failing peer alone and probes until it is back; `Guard` asks it before every call.

Circuit breaker after Nygard, Release It! (2007): closed, open, half open.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from loopwright.faults import BreakerOpen
from loopwright.rpc.settings import BreakerSettings
from loopwright.telemetry import METER, Meter, get_logger, names

_LOG = get_logger(__name__)


class State(IntEnum):
    """What a breaker does with the next call; the number is the metric's value."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True, slots=True, eq=False)
class Permit:
    """One call that was let through; hand it back with how the call ended.

    Attributes:
        epoch: which stretch between two changes of state it belongs to; what an older one tells is not news.
        started: seconds on the breaker's clock.
    """

    epoch: int
    started: float


class Breaker:
    """Opens after failures in a row that span a while, lets a probe through now and then, closes on its success.

    Args:
        target: name of the peer, for the metric and the fault.
        settings: the numbers.
        clock: monotonic seconds.
        meter: where the state goes.
    """

    def __init__(
        self,
        target: str,
        settings: BreakerSettings,
        clock: Callable[[], float] = time.monotonic,
        meter: Meter = METER,
    ) -> None:
        self._target = target
        self._settings = settings
        self._clock = clock
        self._meter = meter
        self._state = State.CLOSED
        self._epoch = 0
        self._failures = 0
        self._failing_since = 0.0
        self._probe_at = 0.0
        self._probes: set[Permit] = set()
        meter.gauge(names.BREAKER_STATE, self._state, target=target)

    @property
    def state(self) -> State:
        """The state as of the last call."""
        return self._state

    def admit(self) -> Permit:
        """Lets a call through.

        Raises:
            BreakerOpen: the peer is being left alone, or enough calls probe it already.
        """
        now = self._clock()
        if self._state is State.OPEN and now >= self._probe_at:
            self._change(State.HALF_OPEN)
        if self._state is State.OPEN or (self._state is State.HALF_OPEN and not self._may_probe(now)):
            raise BreakerOpen(f"{self._target} keeps failing and is left alone for a moment")
        permit = Permit(self._epoch, now)
        if self._state is State.HALF_OPEN:
            self._probes.add(permit)
        return permit

    def succeeded(self, permit: Permit) -> None:
        """Notes that the peer answered, be it with a refusal."""
        if permit.epoch == self._epoch:
            self._failures = 0
            if self._state is State.HALF_OPEN:
                self._change(State.CLOSED)

    def failed(self, permit: Permit) -> None:
        """Notes that the peer did not answer, or could not."""
        if permit.epoch != self._epoch:
            return
        now = self._clock()
        if self._state is State.HALF_OPEN:
            # Counted from the probe's start: a peer that takes long to fail is probed as often as any other.
            self._open(permit.started)
            return
        self._failing_since = self._failing_since if self._failures else now
        self._failures += 1
        long_enough = now - self._failing_since >= self._settings.failing_for_s
        if self._failures >= self._settings.failures_in_a_row and long_enough:
            self._open(now)

    def abandoned(self, permit: Permit) -> None:
        """Notes that nobody waited for the answer: it says nothing about the peer."""
        self._probes.discard(permit)

    def _may_probe(self, now: float) -> bool:
        # A probe that hangs longer than the time between two does not hold up the next one.
        fresh = sum(now - probe.started < self._settings.open_s for probe in self._probes)
        return fresh < self._settings.probes_at_once

    def _open(self, since: float) -> None:
        self._probe_at = since + self._settings.open_s
        self._change(State.OPEN)

    def _change(self, state: State) -> None:
        if State.CLOSED in (state, self._state):
            _LOG.warning("breaker changed", extra={"target": self._target, "state": state.name.lower()})
        self._state = state
        self._epoch += 1
        self._failures = 0
        self._probes.clear()
        self._meter.gauge(names.BREAKER_STATE, state, target=self._target)
