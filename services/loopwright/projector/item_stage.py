"""Stage 2: item facts and catalogue events in, item rows out; the only writer of an item."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from loopwright.domain.ids import LOGICAL_PARTITIONS, item_key, logical_partition
from loopwright.domain.vectors import U64, Bools
from loopwright.eventlog import CATALOG, DEAD_LETTERS, ITEM_FACTS, ITEM_ROWS, Offsets, Record, Topic, set_aside
from loopwright.eventlog.dead_letters import POISON
from loopwright.faults import PoisonEvent
from loopwright.featurespec.facts import FactBatch
from loopwright.featurespec.folds.catalog import fold_catalog, item_of
from loopwright.featurespec.folds.validity import flaw_of
from loopwright.featurespec.groups import ITEM_CONTENT, ITEM_COUNTS, ITEM_STATE_GROUPS, STAGE_ITEMS
from loopwright.featurespec.table import ItemTable
from loopwright.projector import keys, user_stage
from loopwright.projector.convert import SourcedFacts, facts_from_event, row_to_event
from loopwright.projector.marks import Marks
from loopwright.projector.stage import Counts, Outlet
from loopwright.projector.store import StateStore, Write
from loopwright.store import keys as row_keys

TOPICS: tuple[Topic, ...] = (ITEM_FACTS, CATALOG)
_INDEX_BITS = np.uint64(16)  # an event has at most 200 items; a fact's place is offset << 16 | index
_COUNTED = tuple(sorted(user_stage.COUNTED))


class ItemStage:
    """Folds facts into item rows; keeps all items it has met, for each is touched again and again.

    A fact's place is (source topic, source logical partition, offset, index). An item partition has come to some place
    of each source partition; facts at or below it are repetitions of a stage 1 that was restarted.
    """

    name = STAGE_ITEMS
    topics = TOPICS

    def __init__(self, store: StateStore, outlet: Outlet, partitions: Collection[int]) -> None:
        """Take the store of the rows, where rows go on, and the physical partitions to fold."""
        self._store, self._outlet = store, outlet
        self._marks = Marks(self.topics, outlet.physical, partitions)
        self._table = ItemTable()
        self._fact_marks: dict[tuple[int, str], U64] = {}
        self.counts = Counts()

    @property
    def fresh(self) -> bool:
        """Whether nothing was ever folded into the store."""
        return self._marks.fresh

    async def load(self) -> Offsets:
        """Forget all items, read the marks, and return where to read on."""
        self._table = ItemTable()
        await self._marks.load(self._store)
        places = [(lp, topic) for lp in self._marks.logical for topic in _COUNTED]
        stored = await self._store.values([keys.fact_marks(lp, topic) for lp, topic in places])
        self._fact_marks = {
            place: np.frombuffer(raw or bytes(8 * LOGICAL_PARTITIONS), dtype="<u8").astype(np.uint64)
            for place, raw in zip(places, stored, strict=True)
        }
        return self._marks.start()

    async def apply(self, records: Sequence[Record]) -> None:
        """Fold records that were read in offset order; when it returns they are folded for good."""
        new = [record for record in records if self._marks.is_new(record)]
        facts, catalogue, poison, marked = self._sort(new)
        touched = {item for batch in facts for item in batch.item_ids.tolist()}
        upserted = [item_of(record.event) for record in catalogue]
        await self._fetch(touched.union(upserted))
        for record in catalogue:
            fold_catalog(self._table, record.event)
        self._table.fold_facts(FactBatch.joined(facts))
        changed = {item: {ITEM_COUNTS} for item in touched}
        for item in upserted:
            changed.setdefault(item, set()).add(ITEM_CONTENT)
        writes: dict[int, Write] = {}
        await self._emit(changed, poison, writes)
        for lp, topic in marked:
            value = self._fact_marks[lp, topic].astype("<u8").tobytes()
            writes.setdefault(lp, Write()).values[keys.fact_marks(lp, topic)] = value
        self._marks.note(new, writes)
        await self._store.commit(list(writes.values()))

    def highest(self) -> Offsets:
        """Return the highest mark in each physical partition."""
        return self._marks.highest()

    async def sweep(self, position: Offsets) -> None:
        """Say that everything before `position` is folded."""
        writes: dict[int, Write] = {}
        self._marks.sweep(position, writes)
        await self._store.commit(list(writes.values()))

    def _sort(
        self, records: Sequence[Record]
    ) -> tuple[list[FactBatch], list[Record], list[tuple[Record, str]], set[tuple[int, str]]]:
        """Return fresh facts, catalogue events, what is set aside with the flaw, and which fact marks have moved."""
        facts: list[FactBatch] = []
        catalogue: list[Record] = []
        poison: list[tuple[Record, str]] = []
        marked: set[tuple[int, str]] = set()
        for record in records:
            if record.topic == CATALOG.name:
                flaw = flaw_of(record.event) or ("" if item_of(record.event) else "names no item")
                if flaw:
                    poison.append((record, flaw))
                else:
                    catalogue.append(record)
                continue
            try:
                sourced = facts_from_event(record.event)
                facts.append(self._unseen(sourced))
                marked.add((sourced.item_partition, sourced.topic))
            except PoisonEvent as fault:
                poison.append((record, fault.message))
        return facts, catalogue, poison, marked

    def _unseen(self, sourced: SourcedFacts) -> FactBatch:
        """Return the facts whose places are new, and move the marks past them."""
        marks = self._fact_marks.get((sourced.item_partition, sourced.topic))
        if marks is None or (sourced.partitions >= LOGICAL_PARTITIONS).any():
            raise PoisonEvent("item facts of an unknown source or for another partition")
        places = (sourced.offsets << _INDEX_BITS | sourced.indices.astype(np.uint64)) + np.uint64(1)
        fresh: Bools = places > marks[sourced.partitions]
        np.maximum.at(marks, sourced.partitions, places)
        self.counts.repeated_facts += int((~fresh).sum())
        facts = sourced.facts
        if fresh.all():
            return facts
        return FactBatch(facts.item_ids[fresh], facts.kinds[fresh], facts.values[fresh], facts.times_ms[fresh])

    async def _fetch(self, items: Iterable[int]) -> None:
        wanted = np.array(sorted(items), dtype=np.uint64)
        missing = wanted[self._table.rows_of(wanted) < 0].tolist()
        rows = await self._store.rows([row_keys.item_row(item) for item in missing], ITEM_STATE_GROUPS)
        self._table.put_many(
            (item, group, state) for item, row in zip(missing, rows, strict=True) for group, state in row.items()
        )

    async def _emit(
        self, changed: dict[int, set[str]], poison: Sequence[tuple[Record, str]], writes: dict[int, Write]
    ) -> None:
        """Append the changed rows and add them to the writes of their partitions.

        The rows go to the log first: a crash between appends them again; the other way round a mirror would miss one.
        """
        outlet, table = self._outlet, self._table
        items = sorted(changed)
        rows = table.rows_of(np.array(items, dtype=np.uint64))
        events = []
        for item, row, states in zip(items, rows.tolist(), table.encode_rows(rows), strict=True):
            kept = {group: state for group, state in states.items() if group in changed[item]}
            newest = max(int(table.stamp_ms[row]), int(table.counts.fact_ms[row]), 0)
            events += [
                row_to_event(item, group, state, newest, outlet.clock, outlet.producer) for group, state in kept.items()
            ]
            if kept:
                writes.setdefault(logical_partition(item_key(item)), Write()).rows[row_keys.item_row(item)] = kept
        await outlet.append(ITEM_ROWS, events)
        entries = [
            set_aside(record, POISON, flaw, clock=outlet.clock, producer=outlet.producer) for record, flaw in poison
        ]
        await outlet.append(DEAD_LETTERS, entries)
