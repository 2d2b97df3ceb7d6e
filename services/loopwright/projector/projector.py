"""`Projector` runs both stages and looks for parking requests."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from loopwright.eventlog import ITEM_FACTS, EventLog, HasNow, WallClock
from loopwright.faults import CorruptRecord, DependencyDown
from loopwright.projector.config import Pace
from loopwright.projector.item_stage import ItemStage
from loopwright.projector.parking import ParkingLot
from loopwright.projector.runner import Report, StageRunner
from loopwright.projector.stage import log_outlet
from loopwright.projector.store import StateStore
from loopwright.projector.user_stage import UserStage
from loopwright.telemetry import get_logger

_log = get_logger(__name__)


class Projector:
    """Both stages over some physical partitions, by default all."""

    def __init__(
        self,
        log: EventLog,
        store: StateStore,
        clock: HasNow,
        *,
        pace: Pace | None = None,
        cached_users: int = 20_000,
        append_timeout_s: float = 10.0,
        partitions: Collection[int] | None = None,
        wall_ms: WallClock,
        report: Report = lambda stage, offsets: None,
    ) -> None:
        """Take what the projector works on.

        Args:
            log: The event log.
            store: Store of rows and marks.
            clock: Mesh time, for the time of recording of what is derived.
            pace: Batch size and intervals.
            cached_users: User rows kept decoded.
            append_timeout_s: Longest wait for the log to acknowledge a batch.
            partitions: Physical partitions to fold.
            wall_ms: The wall clock.
            report: Told a stage's name and the offsets it has folded.
        """
        self._log, self._store = log, store
        self._pace = pace or Pace()
        ours = frozenset(range(log.partitions) if partitions is None else partitions)
        outlet = log_outlet(log, clock, append_timeout_s)
        self.users = UserStage(store, outlet, ours, cached_users=cached_users)
        self.items = ItemStage(store, outlet, ours)
        self._lot = ParkingLot(store, stages=2)
        self._runners = [
            StageRunner(
                log, stage, store, outlet, self._lot, self._pace, partitions=ours, wall_ms=wall_ms, report=report
            )
            for stage in (self.users, self.items)
        ]

    async def run(self) -> None:
        """Fold until cancelled.

        Raises:
            CorruptRecord: Rows or marks of one stage are lost and those of the other are not.
            OffsetGone: Retention has deleted records that are not folded.
        """
        await self._begin()
        async with asyncio.TaskGroup() as group:
            for runner in self._runners:
                group.create_task(runner.run())
            group.create_task(self._look())

    async def _begin(self) -> None:
        """Prepare an empty store: where old facts are gone, stage 2 begins behind the others.

        Stage 1, which begins at the first event, derives all of them again. Were some left, they would move the marks
        past the repetitions of those that are gone.
        """
        while True:
            try:
                await self._lot.poll()
                await self.users.load()
                await self.items.load()
                starts = await self._log.starts([ITEM_FACTS])
                ends = await self._log.ends([ITEM_FACTS])
                break
            except DependencyDown as fault:
                _log.warning("store or log is away", extra={"reason": fault.reason})
                await asyncio.sleep(self._pace.retry_interval_ms / 1000)
        if not self.items.fresh or not any(starts.values()):
            return
        if not self.users.fresh:
            raise CorruptRecord("item rows are lost and user rows are not: clear the store, the log rebuilds both")
        await self.items.sweep(ends)

    async def _look(self) -> None:
        while True:
            try:
                await self._lot.poll()
            except DependencyDown:
                _log.debug("no look at the parking request while the store is away")
            await asyncio.sleep(self._pace.poll_interval_ms / 1000)
