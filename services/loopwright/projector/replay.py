"""`ReplayFold` folds the log from its beginning into a clean store, through the very stages that run live.

`loopwright replay` compares its hashes with the live store's; tests compare batch sizes and repetitions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loopwright.domain.ids import logical_partition, physical_partition
from loopwright.eventlog import CATALOG, ITEM_FACTS, EventLog, HasNow, Offsets, Record, Topic
from loopwright.projector.item_stage import ItemStage
from loopwright.projector.parking import SOURCES
from loopwright.projector.stage import Entries, Outlet, Stage
from loopwright.projector.store import Hashes, StateStore, hashes
from loopwright.projector.user_stage import UserStage


@dataclass(frozen=True, slots=True)
class Folded:
    """What a replay came to."""

    offsets: Offsets
    hashes: Hashes
    records: int
    duplicates: int
    late: int


class _Beginning:
    """Stands in for the mesh clock: nothing that a replay records as its time is kept."""

    def now_ms(self) -> int:
        return 0


class ReplayFold:
    """One pass over the source topics; facts go straight to stage 2, nothing is appended to the log."""

    def __init__(self, log: EventLog, store: StateStore) -> None:
        """Take the log to read and an empty store to fill."""
        clock: HasNow = _Beginning()
        self._log, self._store = log, store
        self._facts: list[Record] = []
        self._next = 0
        outlet = Outlet(self._append, clock, log.producer, log.partitions)
        everything = range(log.partitions)
        self._users = UserStage(store, outlet, everything)
        self._items = ItemStage(store, outlet, everything)

    async def _append(self, topic: Topic, entries: Entries) -> None:
        if topic is not ITEM_FACTS:
            return
        for key, event in entries:
            logical = logical_partition(key)
            place = physical_partition(logical, self._log.partitions)
            self._facts.append(Record(topic.name, place, self._next, logical, key, event, b"", "", 0))
            self._next += 1

    async def run(
        self,
        stop: Offsets | None = None,
        *,
        batch: int = 2000,
        on_progress: Callable[[float], None] = lambda share: None,
    ) -> Folded:
        """Fold everything before `stop`.

        Args:
            stop: Offsets of the source topics; places it leaves out, or None: the present ends.
            batch: Most records folded in one step.
            on_progress: Told the share folded, 0 to 1.

        Raises:
            OffsetGone: Retention has deleted records of a source topic.
        """
        ends = await self._log.ends(SOURCES)
        until = {place: (stop or {}).get(place, end) for place, end in ends.items()}
        await self._users.load()
        await self._items.load()
        whole = max(1, sum(until.values()))
        done = 0
        async with self._log.reader(
            SOURCES, stop=until, max_records=batch, on_undecodable=lambda record: None
        ) as reader:
            while not reader.done():
                records = await reader.read()
                await self._step(self._users, [r for r in records if r.topic != CATALOG.name])
                facts, self._facts = self._facts, []
                await self._step(self._items, [*facts, *(r for r in records if r.topic == CATALOG.name)])
                done += len(records)
                on_progress(min(1.0, done / whole))
        users, items = self._users.counts, self._items.counts
        return Folded(
            until, await hashes(self._store), done, users.duplicates + items.duplicates, users.late + items.late
        )

    async def _step(self, stage: Stage, records: list[Record]) -> None:
        if records:
            await stage.apply(records)
