"""`StageRunner` reads the log for one stage: batches, progress, parking, and a fresh start after an outage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from loopwright.domain import keys as row_keys
from loopwright.eventlog import (
    DEAD_LETTERS,
    ITEM_FACTS,
    EventLog,
    EventReader,
    Offsets,
    Record,
    Undecodable,
    WallClock,
    set_aside,
)
from loopwright.faults import DependencyDown
from loopwright.featurespec.groups import GROUPS, STAGE_ITEMS, STAGE_USERS
from loopwright.projector.config import Pace
from loopwright.projector.parking import ParkingLot, reached
from loopwright.projector.stage import Outlet, Stage
from loopwright.projector.store import StateStore, Write
from loopwright.telemetry import gauge, get_logger, names

_log = get_logger(__name__)
Report = Callable[[str, Offsets], None]


class StageRunner:
    """Feeds a stage for ever. An outage of log or store makes it begin anew at the marks; other failures end it."""

    def __init__(
        self,
        log: EventLog,
        stage: Stage,
        store: StateStore,
        outlet: Outlet,
        lot: ParkingLot,
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
            store: Where progress is written.
            outlet: Where undecodable records are set aside.
            lot: The parking request.
            pace: Batch size and intervals.
            partitions: Physical partitions to read.
            wall_ms: The wall clock; progress is a matter of operations.
            report: Told the stage's name and the offsets it has folded.
        """
        self._log, self._stage, self._store, self._outlet, self._lot = log, stage, store, outlet, lot
        self._pace, self._partitions, self._wall_ms, self._report = pace, partitions, wall_ms, report
        self._undecodable: list[Undecodable] = []
        self._told_ms = self._swept_ms = 0

    async def run(self) -> None:
        """Fold until cancelled.

        Raises:
            CorruptRecord: A stored state does not decode.
            OffsetGone: Retention has deleted records that are not folded.
        """
        while True:
            try:
                await self._session()
            except DependencyDown as fault:
                _log.warning("stage begins anew", extra={"stage": self._stage.name, "reason": fault.reason})
                await asyncio.sleep(self._pace.retry_interval_ms / 1000)

    async def _session(self) -> None:
        start = await self._stage.load()
        self._undecodable.clear()
        reading = self._log.reader(
            self._stage.topics,
            start=start,
            partitions=self._partitions,
            max_records=self._pace.batch_records,
            on_undecodable=self._undecodable.append,
        )
        async with reading as reader:
            self._report(self._stage.name, reader.position())
            while True:
                limit = await self._limit()
                if limit is not None and reached(reader.position(), limit):
                    await self._stand(reader)
                    continue
                records = await reader.read(self._pace.poll_interval_ms / 1000)
                await self._fold(reader, records, limit)
                await self._tell(reader, idle=not records, running=self._lot.request is None)

    async def _limit(self) -> Offsets | None:
        """Return where to stop, None while nobody asks; stage 2 stops behind all that a stopped stage 1 derived."""
        request = self._lot.request
        if request is None:
            return None
        mine = {topic.name for topic in self._stage.topics}
        limit = {place: offset for place, offset in request.items() if place[0] in mine}
        if self._stage.name != STAGE_ITEMS:
            return limit
        if not self._lot.stands(STAGE_USERS):
            return limit | {(ITEM_FACTS.name, partition): 1 << 62 for partition in self._partitions}
        ends = await self._log.ends([ITEM_FACTS])
        return limit | {place: end for place, end in ends.items() if place[1] in self._partitions}

    async def _stand(self, reader: EventReader) -> None:
        if not self._lot.stands(self._stage.name):
            await self._stage.sweep(reader.position())
            self._lot.stand(self._stage.name, reader.position())
        await asyncio.sleep(self._pace.poll_interval_ms / 1000)

    async def _fold(self, reader: EventReader, records: Sequence[Record], limit: Offsets | None) -> None:
        kept: list[Record] = []
        beyond: Offsets = {}
        for record in records:
            place = record.topic, record.partition
            if limit is None or record.offset < limit.get(place, record.offset + 1):
                kept.append(record)
            else:
                beyond.setdefault(place, record.offset)
        if beyond:
            reader.seek(beyond)
        if self._undecodable:
            outlet = self._outlet
            entries = [
                set_aside(record, record.reason, "", clock=outlet.clock, producer=outlet.producer)
                for record in self._undecodable
            ]
            await outlet.append(DEAD_LETTERS, entries)
            self._undecodable.clear()
        if kept:
            await self._stage.apply(kept)

    async def _tell(self, reader: EventReader, *, idle: bool, running: bool) -> None:
        """Write progress while caught up; from time to time move the marks of partitions without records."""
        now = self._wall_ms()
        position = reader.position()
        self._report(self._stage.name, position)
        if now - self._swept_ms >= self._pace.sweep_interval_ms:
            self._swept_ms = now
            await self._stage.sweep(position)
        caught_up = reader.caught_up_at_ms()
        if running and caught_up is not None and now - self._told_ms >= self._pace.progress_interval_ms:
            self._told_ms = now
            value = str(caught_up).encode()
            await self._store.commit([Write(values={row_keys.progress(self._stage.name): value})])
            for group in GROUPS.values():
                if group.stages[-1] == self._stage.name:
                    gauge(names.PROJECTION_LAG, (now - caught_up) / 1000, group=group.name)
