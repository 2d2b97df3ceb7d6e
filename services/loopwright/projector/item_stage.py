"""Stage 2: item facts and catalogue events in, item rows out; the only writer of an item."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np

from loopwright.domain.ids import LOGICAL_PARTITIONS, item_key, logical_partition
from loopwright.domain.vectors import U64, Bools
from loopwright.eventlog import CATALOG, DEAD_LETTERS, ITEM_FACTS, ITEM_ROWS, Event, Offsets, Record, Topic
from loopwright.eventlog.dead_letters import INVALID, POISON
from loopwright.faults import PoisonEvent
from loopwright.featurespec import item_content
from loopwright.featurespec.facts import FactBatch
from loopwright.featurespec.folds.catalog import fold_catalog, item_of
from loopwright.featurespec.folds.validity import flaw_of
from loopwright.featurespec.groups import ITEM_CONTENT, ITEM_COUNTS, ITEM_STATE_GROUPS, STAGE_ITEMS
from loopwright.featurespec.item_content import UNKNOWN
from loopwright.featurespec.table import ItemTable
from loopwright.projector import keys, user_stage
from loopwright.projector.convert import SourcedFacts, facts_from_event, row_to_event
from loopwright.projector.isolation import Poison, detail_of, poisonous, without
from loopwright.projector.marks import Marks
from loopwright.projector.stage import Aside, Counts, Outlet
from loopwright.projector.store import StageStore, Write
from loopwright.store import keys as row_keys
from loopwright.telemetry import get_logger

TOPICS: tuple[Topic, ...] = (ITEM_FACTS, CATALOG)
_INDEX_BITS = np.uint64(16)  # an event has at most 200 items; a fact's place is offset << 16 | index
_COUNTED = tuple(sorted(user_stage.COUNTED))
_log = get_logger(__name__)

_Place = tuple[int, int]
_Rows = dict[int, dict[str, bytes]]
_Derived = list[tuple[bytes, Event]]


class _Facts(NamedTuple):
    """The facts of a record of `item_facts` that were not folded before, and which marks have moved past them."""

    item_partition: int
    topic: str
    batch: FactBatch


class ItemStage:
    """Folds facts into item rows; keeps all items it has met, for each is touched again and again.

    A fact's place is (source topic, source logical partition, offset, index). An item partition has come to some place
    of each source partition; facts at or below it are repetitions of a stage 1 that was restarted.
    """

    name = STAGE_ITEMS
    topics = TOPICS

    def __init__(self, store: StageStore, outlet: Outlet, partitions: Collection[int]) -> None:
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
        usable, facts, asides = self._sort(new)
        await self._fetch({item for record in usable for item in _items_of(record, facts)})
        try:
            rows, derived = self._fold(usable, facts)
        except Exception as error:  # some record's fold raises, and the table may be half changed
            _log.warning("a batch cannot be folded as a whole", extra={"cause": type(error).__name__})
            poison = await self._isolate(usable, facts)
            asides += [Aside(DEAD_LETTERS, record, POISON, detail) for record, detail in poison]
            rows, derived = self._fold(without(usable, poison), facts)
        # The rows go to the log first: a crash between appends them again; the other way round a mirror would miss one.
        await self._outlet.append(ITEM_ROWS, derived)
        await self._outlet.set_aside(asides)
        writes: dict[int, Write] = {}
        for item, states in rows.items():
            writes.setdefault(logical_partition(item_key(item)), Write()).rows[row_keys.item_row(item)] = states
        for lp, topic in {(said.item_partition, said.topic) for said in facts.values()}:
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

    def _sort(self, records: Sequence[Record]) -> tuple[list[Record], dict[_Place, _Facts], list[Aside]]:
        """Return usable records, the fresh facts of those of `item_facts` by place, and what is set aside."""
        usable: list[Record] = []
        facts: dict[_Place, _Facts] = {}
        asides: list[Aside] = []
        for record in records:
            if record.topic == CATALOG.name:
                flaw = flaw_of(record.event) or ("" if item_of(record.event) else "names no item")
                if flaw:
                    asides.append(Aside(DEAD_LETTERS, record, INVALID, flaw))
                    continue
            else:
                try:
                    said = facts_from_event(record.event)
                    facts[_place(record)] = _Facts(said.item_partition, said.topic, self._unseen(said))
                except Exception as error:
                    asides.append(Aside(DEAD_LETTERS, record, POISON, detail_of(error)))
                    continue
            usable.append(record)
        return usable, facts, asides

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

    def _fold(self, records: Sequence[Record], facts: Mapping[_Place, _Facts]) -> tuple[_Rows, _Derived]:
        """Fold records into the table; return the states that changed, encoded, and the events of `item_rows`."""
        contents: set[int] = set()
        batches: list[FactBatch] = []
        for record in records:
            if record.topic == CATALOG.name:
                fold_catalog(self._table, record.event)
                contents.add(item_of(record.event))
            else:
                batches.append(facts[_place(record)].batch)
        joined = FactBatch.joined(batches)
        _count(self._table, joined)
        return self._encode(self._table, contents, set(joined.item_ids.tolist()))

    def _encode(self, table: ItemTable, contents: Set[int], counted: Set[int]) -> tuple[_Rows, _Derived]:
        """Return the states of the items whose catalogue facts and whose counts changed, and the events of them."""
        items = sorted(contents | counted)
        rows = table.rows_of(np.array(items, dtype=np.uint64))
        with_counts = table.counts.fact_ms[rows] >= 0
        with_counts &= np.fromiter(map(counted.__contains__, items), dtype=np.bool_, count=len(items))
        counts = iter(table.counts.encode(rows[with_counts]))
        newest = np.maximum(np.maximum(table.stamp_ms[rows], table.counts.fact_ms[rows]), 0)
        found: _Rows = {}
        derived: _Derived = []
        clock, producer = self._outlet.clock, self._outlet.producer
        for item, row, newest_ms, has_counts in zip(
            items, rows.tolist(), newest.tolist(), with_counts.tolist(), strict=True
        ):
            states: dict[str, bytes] = {}
            if item in contents and (content := table.content_of(row)) != UNKNOWN:
                states[ITEM_CONTENT] = item_content.encode(content)
            if has_counts:
                states[ITEM_COUNTS] = next(counts)
            derived += [row_to_event(item, group, state, newest_ms, clock, producer) for group, state in states.items()]
            if states:
                found[item] = states
        return found, derived

    async def _isolate(self, records: Sequence[Record], facts: Mapping[_Place, _Facts]) -> list[Poison]:
        """Return the records that cannot be folded; afterwards the table is as if there had been none of the batch.

        Catalogue events are looked at item by item. A record of facts is about many items, so those stand in one row.
        """
        self._table = ItemTable()
        of_item: dict[int, list[Record]] = {}
        for record in records:
            if record.topic == CATALOG.name:
                of_item.setdefault(item_of(record.event), []).append(record)
        about = [record for record in records if record.topic != CATALOG.name]
        items = {item for record in records for item in _items_of(record, facts)}
        await self._fetch(items)  # the rows as they were before the batch
        known = np.array(sorted(items), dtype=np.uint64)
        known = known[self._table.rows_of(known) >= 0]
        before = dict(zip(known.tolist(), self._table.encode_rows(self._table.rows_of(known)), strict=True))

        def scratch(rows: _Rows) -> _Scratch:
            return _Scratch(rows, facts, self._encode)

        poison: list[Poison] = []
        for item, theirs in of_item.items():
            poison += poisonous(theirs, {item: before.get(item, {})}, scratch)[0]
        counted = {item for record in about for item in _items_of(record, facts)}
        return poison + poisonous(about, {item: before.get(item, {}) for item in counted}, scratch)[0]


class _Scratch:
    """Rows of some items beside the table, to find out what cannot be folded."""

    def __init__(
        self,
        rows: _Rows,
        facts: Mapping[_Place, _Facts],
        encode: Callable[[ItemTable, Set[int], Set[int]], tuple[_Rows, _Derived]],
    ) -> None:
        self._facts, self._encode = facts, encode
        self._table = ItemTable()
        self._table.put_many((item, group, state) for item, row in rows.items() for group, state in row.items())

    def apply(self, record: Record) -> None:
        if record.topic == CATALOG.name:
            fold_catalog(self._table, record.event)
        else:
            _count(self._table, self._facts[_place(record)].batch)

    def encode(self) -> _Rows:
        items = set(self._table.ids.tolist())
        return self._encode(self._table, items, items)[0]


def _count(table: ItemTable, facts: FactBatch) -> None:
    """Add facts to the rows' own counts; sums over creators and the catalogue are for those who read columns."""
    table.counts.add(table.rows_for(facts.item_ids), facts)


def _place(record: Record) -> _Place:
    return record.partition, record.offset


def _items_of(record: Record, facts: Mapping[_Place, _Facts]) -> list[int]:
    """Return the items that a usable record is about."""
    if record.topic == CATALOG.name:
        return [item_of(record.event)]
    items: list[int] = facts[_place(record)].batch.item_ids.tolist()
    return items
