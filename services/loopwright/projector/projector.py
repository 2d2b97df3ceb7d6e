"""`Projector` runs both stages, begins from nothing when the store was emptied, and looks for parking requests."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Coroutine
from typing import Any

from loopwright.eventlog import ITEM_FACTS, EventLog, HasNow, WallClock
from loopwright.eventlog.strays import no_strays
from loopwright.faults import CorruptRecord, DependencyDown
from loopwright.featurespec.groups import STAGE_ITEMS, STAGE_USERS
from loopwright.projector import keys
from loopwright.projector.claims import Claims
from loopwright.projector.config import Pace
from loopwright.projector.fence import FencedStore
from loopwright.projector.item_stage import ItemStage
from loopwright.projector.parking import ParkingLot
from loopwright.projector.runner import Report, StageRunner
from loopwright.projector.stage import log_outlet
from loopwright.projector.store import StateStore, Write
from loopwright.projector.swap import StoreEmptied
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
        incarnation: str = "",
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
            incarnation: What no other projector of this store has ever called itself; default: drawn at random.
            wall_ms: The wall clock.
            report: Told a stage's name and the offsets it has folded.
        """
        self._log, self._store = log, store
        self._pace = pace or Pace()
        ours = frozenset(range(log.partitions) if partitions is None else partitions)
        outlet = log_outlet(log, clock, append_timeout_s)
        called = incarnation or secrets.token_hex(8)
        self._fenced = {name: FencedStore(store, name, called) for name in (STAGE_USERS, STAGE_ITEMS)}
        self._witnesses = [key for fenced in self._fenced.values() for key in fenced.witnesses]
        self.users = UserStage(self._fenced[STAGE_USERS], outlet, ours, cached_users=cached_users)
        self.items = ItemStage(self._fenced[STAGE_ITEMS], outlet, ours)
        self._lot = ParkingLot(store, stages=2)
        claims = Claims()
        self._runners = [
            StageRunner(
                log,
                stage,
                self._fenced[stage.name],
                outlet,
                self._lot,
                claims,
                self._pace,
                partitions=ours,
                wall_ms=wall_ms,
                report=report,
            )
            for stage in (self.users, self.items)
        ]

    async def run(self) -> None:
        """Fold until cancelled.

        Raises:
            CorruptRecord: Rows or marks of one stage are lost and those of the other are not.
            OffsetGone: Retention has deleted records that are not folded.
        """
        while True:
            await self._begin()
            try:
                async with asyncio.TaskGroup() as group:
                    for runner in self._runners:
                        group.create_task(_seen(runner.run()))
                    group.create_task(_seen(self._look()))
            except* StoreEmptied:
                _log.warning("the store was emptied: all rows are folded again from the log")
            await asyncio.sleep(self._pace.rebuild_delay_ms / 1000)

    async def _begin(self) -> None:
        """Prepare the store for both stages, however long it or the log is away."""
        while True:
            try:
                await self._prepare()
                return
            except DependencyDown as fault:
                _log.warning("store or log is away", extra={"reason": fault.reason})
                await asyncio.sleep(self._pace.retry_interval_ms / 1000)

    async def _prepare(self) -> None:
        """Clear what an emptied store holds, and where old facts are gone let stage 2 begin behind the others.

        A store without its witnesses was emptied, or nothing was ever folded into it; what stands in it was written
        between the emptying and its discovery. The witnesses come back only after it is gone, so a crash repeats this.

        Stage 1, which begins at the first event, derives all facts again. Were some left of those on the log, they
        would move the marks past the repetitions of those that are gone.
        """
        if None in await self._store.values(self._witnesses):
            await self._store.clear(keys.OWN_PREFIXES)
            initial = {key: value for fenced in self._fenced.values() for key, value in fenced.initial.items()}
            await self._store.commit([Write(values=initial)])
        for fenced in self._fenced.values():
            await fenced.begin()
        self._lot.forget()
        await self._lot.see((await self._store.values([keys.PARK]))[0])
        await self.users.load()
        await self.items.load()
        starts = await self._log.starts([ITEM_FACTS])
        ends = await self._log.ends([ITEM_FACTS])
        if not self.items.fresh or not any(starts.values()):
            return
        if not self.users.fresh:
            raise CorruptRecord("item rows are lost and user rows are not: clear the store, the log rebuilds both")
        await self.items.sweep(ends)

    async def _look(self) -> None:
        """Look for a parking request, and whether the store was emptied: the stages may be waiting for the log."""
        while True:
            try:
                asked, *witnesses = await self._store.values([keys.PARK, *self._witnesses])
                if None in witnesses:
                    raise StoreEmptied()
                await self._lot.see(asked)
            except StoreEmptied:
                raise
            except DependencyDown:
                _log.debug("no look at the parking request while the store is away")
            await asyncio.sleep(self._pace.poll_interval_ms / 1000)


async def _seen(work: Coroutine[Any, Any, None]) -> None:
    with no_strays():
        await work
