"""Joins folds and log: answers a summary of all that is on the log at the call, and keeps the gauges current."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from loopwright.eventlog import ALL_TOPICS, EventLog, HasNow, Offsets, Tail, WallClock, offsets_to_json, wall_now_ms
from loopwright.faults import Fault
from loopwright.monitor.gauges import Gauges
from loopwright.monitor.health import LoopHealth
from loopwright.monitor.progress import ConsumerProgress, Lag
from loopwright.rpc import Deadline
from loopwright.telemetry import METER, Meter, get_logger

_log = get_logger(__name__)
_MINUTE_MS = 60_000


class Watcher:
    """Works on started tails; as a context manager it updates the gauges in a task of its own.

    Args:
        log: The event log.
        clock: The mesh clock.
        health: The fold that `tails` feed.
        progress: The fold of READINESS.
        tails: Followed topics; a summary waits until they have reached the ends at its call.
        interval_s: Time between two updates of the gauges.
        meter: Where the gauges are.
        wall_ms: Tells how old what `tails` have read is.
    """

    def __init__(
        self,
        log: EventLog,
        clock: HasNow,
        health: LoopHealth,
        progress: ConsumerProgress,
        tails: tuple[Tail, ...],
        *,
        interval_s: float,
        meter: Meter = METER,
        wall_ms: WallClock = wall_now_ms,
    ) -> None:
        self._log, self._clock, self._health, self._progress = log, clock, health, progress
        self._tails, self._interval_s, self._wall_ms = tails, interval_s, wall_ms
        self._gauges = Gauges(meter)
        self._told: tuple[int, int] | None = None
        self._task: asyncio.Task[None] | None = None

    async def summary(self, deadline: Deadline) -> dict[str, Any]:
        """Return the figures over everything that is on the log at the call.

        Raises:
            DeadlineExceeded: The folds did not get there in time.
            LogUnavailable: The log does not answer.
        """
        ends, starts = await self._log.ends(ALL_TOPICS), await self._log.starts(ALL_TOPICS)
        folded: Offsets = {}
        for tail in self._tails:
            mine = {place: end for place, end in ends.items() if place in tail.position()}
            await tail.reached(mine, deadline)
            folded |= tail.position()
        events = {topic.name: 0 for topic in ALL_TOPICS}
        for place, end in ends.items():
            events[place[0]] += end - starts[place]
        return {
            **self._health.summary(self._clock.now_ms()),
            "events": events,
            "folded": offsets_to_json(folded),
            "lag": [_lag_to_json(lag) for lag in self._progress.lags(ends)],
        }

    async def tick(self) -> None:
        """Update the gauges, and let go of what is older than the windows.

        Raises:
            LogUnavailable: The log does not answer.
        """
        ends = await self._log.ends(ALL_TOPICS)
        self._gauges.set_lags(self._progress.lags(ends))
        now = self._clock.now_ms()
        if all(tail.caught_up_at_ms is not None for tail in self._tails):
            wall_ms = self._wall_ms()
            self._health.tidy(now - round(1000 * max(tail.lag_s(wall_ms) for tail in self._tails)))
        told = (self._health.version, now // _MINUTE_MS)  # positions become unreported by time alone
        if told != self._told:
            self._gauges.set_shares(self._health.summary(now))
            self._told = told

    async def wait(self) -> None:
        """Return once stopped.

        Raises:
            Exception: What ended the updates otherwise.
        """
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    async def __aenter__(self) -> Self:
        """Begin to update the gauges."""
        await self.tick()
        self._task = asyncio.create_task(self._run(), name="monitor gauges")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                await self.tick()
            except Fault as fault:
                if not fault.retryable:
                    raise
                _log.warning("gauges not updated", extra={"reason": fault.reason})


def _lag_to_json(lag: Lag) -> dict[str, str | int]:
    return {"consumer": lag.consumer, "replica": lag.replica, "topic": lag.topic, "records": lag.records}
