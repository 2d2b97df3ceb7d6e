"""`StageRunner` reads the log for one stage: batches, progress, parking, and a fresh start after an outage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from loopwright.eventlog import (
    DEAD_LETTERS,
    ITEM_FACTS,
    EventLog,
    EventReader,
    Offsets,
    Record,
    Undecodable,
    WallClock,
)
from loopwright.faults import DependencyDown
from loopwright.featurespec.groups import GROUPS, STAGE_USERS
from loopwright.projector.claims import Claims
from loopwright.projector.config import Pace
from loopwright.projector.fence import FencedStore
from loopwright.projector.parking import ParkingLot
from loopwright.projector.stage import Aside, Outlet, Stage
from loopwright.projector.store import Write
from loopwright.projector.swap import StoreEmptied
from loopwright.store import keys as row_keys
from loopwright.telemetry import gauge, get_logger, names, processing

_log = get_logger(__name__)
SMALL_PART = 40
"""A batch under this part of the largest one costs more in writes than waiting a little costs in freshness."""

Report = Callable[[str, Offsets], None]


class StageRunner:
    """Feeds a stage for ever. An outage of log or store makes it begin anew at the marks; other failures end it."""

    def __init__(
        self,
        log: EventLog,
        stage: Stage,
        store: FencedStore,
        outlet: Outlet,
        lot: ParkingLot,
        claims: Claims,
        pace: Pace,
        *,
        partitions: Collection[int],
        wall_ms: WallClock,
        report: Report,
    ) -> None:
        """Take what a stage needs.

        Args:
            log: Where to read.
            stage: The fold.
            store: The stage's store: where it commits, and its progress is written.
            outlet: Where undecodable records are set aside.
            lot: The parking request.
            claims: What the stages say of their progress.
            pace: Batch size and intervals.
            partitions: Physical partitions to read.
            wall_ms: The wall clock; progress is a matter of operations.
            report: Told the stage's name and the offsets it has folded.
        """
        self._log, self._stage, self._store, self._outlet, self._lot = log, stage, store, outlet, lot
        self._claims = claims
        self._pace, self._partitions, self._wall_ms, self._report = pace, partitions, wall_ms, report
        self._undecodable: list[Undecodable] = []
        self._told_ms = self._swept_ms = 0

    async def run(self) -> None:
        """Fold until cancelled.

        Raises:
            StoreEmptied: The store was emptied: both stages have to begin from nothing.
            CorruptRecord: A stored state does not decode.
            OffsetGone: Retention has deleted records that are not folded.
        """
        while True:
            try:
                if self._lot.stands(self._stage.name):
                    await self._store.commit([])
                    await self._lot.changed(self._pace.poll_interval_ms / 1000)
                else:
                    await self._session()
            except StoreEmptied:
                raise
            except DependencyDown as fault:
                _log.warning("stage begins anew", extra={"stage": self._stage.name, "reason": fault.reason})
                if self._lot.stands(self._stage.name):
                    self._lot.forget()
                await asyncio.sleep(self._pace.retry_interval_ms / 1000)

    async def _session(self) -> None:
        """Read from the marks until somebody asks to park or to go on, or, parked, up to where to stop."""
        request = self._lot.request
        # Asked before the ends are: all that a stopped stage 1 has derived lies before them.
        last = self._stage.name == STAGE_USERS or self._lot.stands(STAGE_USERS)
        self._told_ms = 0
        self._claims.begin(self._stage.name)
        await self._store.begin()
        start = await self._stage.load()
        stop = await self._stop(request) if request is not None else None
        self._undecodable.clear()
        reading = self._log.reader(
            self._stage.topics,
            start=start,
            stop=stop,
            partitions=self._partitions,
            max_records=self._pace.batch_records,
            on_undecodable=self._undecodable.append,
        )
        async with reading as reader:
            self._report(self._stage.name, reader.position())
            while self._lot.request == request and not reader.done():
                records = await reader.read(self._pace.poll_interval_ms / 1000)
                await self._fold(records)
                await self._tell(reader, running=request is None)
                if 0 < len(records) < self._pace.batch_records // SMALL_PART:
                    await asyncio.sleep(self._pace.gather_ms / 1000)
            await self._stage.sweep(reader.position())
            if last and request is not None and reader.done():
                self._lot.stand(self._stage.name, reader.position())
        if request is not None:
            await self._lot.changed(self._pace.poll_interval_ms / 1000)

    async def _stop(self, request: Offsets) -> Offsets:
        """Return where to stop: where asked, and where nothing is asked or we are past it, at the marks."""
        ends = await self._log.ends([topic for topic in self._stage.topics if topic is ITEM_FACTS])
        return {
            place: max(reached, ends.get(place, 0), request.get(place, 0))
            for place, reached in self._stage.highest().items()
        }

    async def _fold(self, records: Sequence[Record]) -> None:
        await self._outlet.set_aside([Aside(DEAD_LETTERS, record, record.reason) for record in self._undecodable])
        self._undecodable.clear()
        if records:
            with processing(records):
                await self._stage.apply(records)

    async def _tell(self, reader: EventReader, *, running: bool) -> None:
        """Write progress while caught up; from time to time move the marks of partitions without records."""
        now = self._wall_ms()
        position = reader.position()
        self._report(self._stage.name, position)
        if now - self._swept_ms >= self._pace.sweep_interval_ms:
            self._swept_ms = now
            await self._stage.sweep(position)
        caught_up = reader.caught_up_at_ms()
        claim = None if caught_up is None else self._claims.claim(self._stage.name, caught_up, self._wall_ms())
        if running and claim is not None and claim - self._told_ms >= self._pace.progress_interval_ms:
            self._told_ms = claim
            value = str(claim).encode()
            await self._store.commit([Write(renewed={row_keys.progress(self._stage.name): value})])
            for group in GROUPS.values():
                if group.stages[-1] == self._stage.name:
                    gauge(names.PROJECTION_LAG, (now - claim) / 1000, group=group.name)
