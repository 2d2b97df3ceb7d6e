"""All items side by side: what the mirror keeps current from item rows and the trainer builds by folding events.

Rows are numbered in the order of arrival; whoever needs an order sorts by item id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.enums import Eligibility
from loopwright.domain.ids import name_id
from loopwright.domain.texts import ChosenTexts, Texts
from loopwright.domain.vectors import F16, F32, F64, I64, U8, U64
from loopwright.faults import CorruptRecord
from loopwright.featurespec import item_content
from loopwright.featurespec.catalogue import Catalogue
from loopwright.featurespec.content_vector import DIMENSION, unit
from loopwright.featurespec.creators import Creators
from loopwright.featurespec.decays import Decays
from loopwright.featurespec.facts import Counter, FactBatch
from loopwright.featurespec.groups import ITEM_CONTENT, ITEM_COUNTS
from loopwright.featurespec.id_index import IdIndex
from loopwright.featurespec.item_content import UNKNOWN, ItemContent
from loopwright.featurespec.item_counts import CountStates, ItemCounts

MOST_TAGS = 16
"""Tags of an item that crosses look at; the content vector holds all of them."""

_SMALLEST = 256
_NAMES = ("creator_ids", "first_tag_ids", "tag_ids", "tag_index", "tag_counts", "creator_index", "locale_index",
          "content32", "content16", "eligibility", "published", "first_upsert", "stamp", "names",
          "changed")  # fmt: skip


class _Arrays:
    """The columns that follow from the catalogue facts; `_index` columns number tags, creators and locales."""

    def __init__(self, capacity: int) -> None:
        self.ids: U64 = np.zeros(capacity, dtype=np.uint64)
        self.creator_ids, self.first_tag_ids = (np.zeros(capacity, dtype=np.uint64) for _ in range(2))
        self.tag_ids: U64 = np.zeros((capacity, MOST_TAGS), dtype=np.uint64)
        self.tag_index = np.zeros((capacity, MOST_TAGS), dtype=np.int32)
        self.tag_counts: I64 = np.zeros(capacity, dtype=np.int64)
        self.creator_index = np.zeros(capacity, dtype=np.int32)
        self.locale_index = np.zeros(capacity, dtype=np.int32)
        self.content32: F32 = np.zeros((capacity, DIMENSION), dtype=np.float32)
        self.content16: F16 = np.zeros((capacity, DIMENSION), dtype=np.float16)
        self.eligibility: U8 = np.full(capacity, int(Eligibility.UNKNOWN_ITEM), dtype=np.uint8)
        self.published, self.first_upsert, self.stamp = (np.full(capacity, -1, dtype=np.int64) for _ in range(3))
        self.names: NDArray[Any] = np.full(capacity, b"", dtype=np.object_)
        self.changed: I64 = np.zeros(capacity, dtype=np.int64)

    def take(self, other: _Arrays, count: int) -> None:
        for name in ("ids", *_NAMES):
            getattr(self, name)[:count] = getattr(other, name)[:count]


class ItemTable:
    """Items as columns. Array properties are views of length `len(table)`; they go stale when items are added."""

    def __init__(self) -> None:
        self._index: dict[int, int] = {}
        self._places = IdIndex()  # of the same ids; brought up to them when many are looked up
        self._arrays = _Arrays(0)
        self._contents: list[ItemContent] = []
        self._tag_numbers: dict[int, int] = {0: 0}
        self.locales: list[str] = [""]
        self.counts = ItemCounts()
        self.catalogue = Catalogue()
        self.creators = Creators()
        self.decays = Decays(self.counts)
        self.version = 0

    def __len__(self) -> int:
        return len(self._contents)

    def copy(self) -> ItemTable:
        """Return an independent copy."""
        twin = ItemTable()
        twin._index, twin._contents = dict(self._index), list(self._contents)
        twin._arrays = _Arrays(len(self._arrays.ids))
        twin._arrays.take(self._arrays, len(self))
        twin._tag_numbers, twin.locales = dict(self._tag_numbers), list(self.locales)
        twin.counts, twin.catalogue, twin.creators = self.counts.copy(), self.catalogue.copy(), self.creators.copy()
        twin.decays, twin.version = Decays(twin.counts), self.version
        return twin

    # rows

    def rows_of(self, item_ids: U64) -> I64:
        """Return int64 [n]: the row of each id, -1 where the table has none."""
        if len(self._places) < len(self):
            self._places.extend(self.ids[len(self._places) :])
        return self._places.rows_of(item_ids)

    def row_for(self, item_id: int) -> int:
        """Return the row of an item, made when there is none."""
        row = self._index.get(item_id)
        if row is None:
            row = self._index[item_id] = len(self._contents)
            self._contents.append(UNKNOWN)
            if row >= len(self._arrays.ids):
                capacity = max(_SMALLEST, 2 * row)
                larger = _Arrays(capacity)
                larger.take(self._arrays, row)
                self._arrays = larger
                self.counts.grow(capacity)
            self._arrays.ids[row] = item_id
            self.version += 1
            self._arrays.changed[row] = self.version
        return row

    def rows_for(self, item_ids: U64) -> I64:
        """Return int64 [n]: the row of each id, made where there is none."""
        rows = self.rows_of(item_ids)
        new = np.flatnonzero(rows < 0)
        rows[new] = np.fromiter(map(self.row_for, item_ids[new].tolist()), dtype=np.int64, count=len(new))
        return rows

    # changes

    def put_many(self, rows: Iterable[tuple[int, str, bytes]]) -> I64:
        """Take encoded states (item id, state group, bytes) and return the touched rows, ascending.

        Raises:
            CorruptRecord: A state does not decode, or its group is not one this build knows.
        """
        counts: dict[int, bytes] = {}
        contents: dict[int, ItemContent] = {}
        for item_id, group, state in rows:
            if group == ITEM_COUNTS:
                counts[item_id] = state
            elif group == ITEM_CONTENT:
                contents[item_id] = item_content.decode(state)
            else:
                raise CorruptRecord(f"unknown state group {group}")
        states = CountStates(list(counts.values()))  # before a row is made: what does not decode must leave none
        touched: set[int] = set()
        for item_id, content in contents.items():
            touched.add(row := self.row_for(item_id))
            self.set_content(row, content)
        if counts:
            where = [self.row_for(item_id) for item_id in counts]
            touched.update(where)
            with_rows = np.array(where, dtype=np.int64)
            self._recount(with_rows, lambda: self.counts.put(where, states))
        return np.array(sorted(touched), dtype=np.int64)

    def fold_facts(self, facts: FactBatch) -> I64:
        """Add facts to the counts and return the touched rows, ascending."""
        if not len(facts):
            return np.zeros(0, dtype=np.int64)
        rows = self.rows_for(facts.item_ids)
        touched = np.unique(rows)
        self._recount(touched, lambda: self.counts.add(rows, facts))
        return touched

    def _recount(self, rows: I64, change: Callable[[], None]) -> None:
        counts, creators = self.counts, self._arrays.creator_index[rows].astype(np.int64)
        before = counts.totals[rows]
        self.catalogue.change(before, counts.daily[rows], counts.day_heads[rows], -1)
        change()
        after = counts.totals[rows]
        self.catalogue.change(after, counts.daily[rows], counts.day_heads[rows], 1)
        self.creators.count(creators, after - before)
        self.decays.forget(rows)
        self.version += 1
        self._arrays.changed[rows] = self.version

    def content_of(self, row: int) -> ItemContent:
        """Return the catalogue registers of a row."""
        return self._contents[row]

    def set_content(self, row: int, content: ItemContent) -> None:
        """Take the catalogue registers of a row and derive its columns."""
        arrays, before, facts = self._arrays, self._contents[row], content.facts
        self._contents[row] = content
        arrays.eligibility[row] = content.eligibility
        arrays.stamp[row] = max(content.upserted.time_ms, content.withdrawn.time_ms)
        arrays.first_upsert[row] = content.first_upsert_ms
        self.catalogue.items += (content.first_upsert_ms >= 0) - (before.first_upsert_ms >= 0)
        self.version += 1
        arrays.changed[row] = self.version
        if facts is before.facts:
            return
        arrays.names[row] = facts.external_id.encode()
        tags = [name_id(tag) for tag in facts.tags[:MOST_TAGS]]
        numbers = [self._tag_numbers.setdefault(tag, len(self._tag_numbers)) for tag in tags]
        padding = [0] * (MOST_TAGS - len(tags))
        arrays.tag_ids[row], arrays.tag_index[row] = tags + padding, numbers + padding
        arrays.tag_counts[row], arrays.first_tag_ids[row] = len(tags), tags[0] if tags else 0
        creator = name_id(facts.creator)
        number = self.creators.number(creator)
        self.creators.move(int(arrays.creator_index[row]), number, self.counts.totals[row])
        arrays.creator_ids[row], arrays.creator_index[row] = creator, number
        if facts.locale not in self.locales:
            self.locales.append(facts.locale)
        arrays.locale_index[row] = self.locales.index(facts.locale)
        arrays.content32[row] = unit(list(facts.sketch))
        arrays.content16[row] = arrays.content32[row].astype(np.float16)
        arrays.published[row] = facts.published_ms

    # reading

    def encode_rows(self, rows: I64) -> list[dict[str, bytes]]:
        """Return the encoded states of each row by group; a group of which nothing is known is left out."""
        out: list[dict[str, bytes]] = []
        for row, counts in zip(rows.tolist(), self.counts.encode(rows), strict=True):
            states = {} if self._contents[row] == UNKNOWN else {ITEM_CONTENT: item_content.encode(self._contents[row])}
            if self.counts.fact_ms[row] >= 0:
                states[ITEM_COUNTS] = counts
            out.append(states)
        return out

    def external_ids(self, rows: I64) -> tuple[str, ...]:
        """Return the external id of each row, "" for row -1."""
        return tuple(self._contents[row].facts.external_id if row >= 0 else "" for row in rows.tolist())

    def external_texts(self, rows: I64) -> Texts:
        """Return the same, of which only those are made that are asked for."""
        return ChosenTexts(self._arrays.names, rows)

    def titles(self, rows: I64) -> tuple[str, ...]:
        """Return the title of each row, "" for row -1."""
        return tuple(self._contents[row].facts.title if row >= 0 else "" for row in rows.tolist())

    def decayed(self, counter: Counter, half_life_days: float, now_ms: int, rows: I64 | None = None) -> F64:
        """Return float64 [n]: decayed counts at `now_ms` (see `Decays.at`) of the rows, by default of all."""
        rows = np.arange(len(self), dtype=np.int64) if rows is None else rows
        return self.decays.at(rows, now_ms, [(counter, half_life_days)])[:, 0]

    def tag_numbers(self, tag_ids: U64) -> I64:
        """Return int64 [t]: the number of each tag in `tag_index`, 0 for tags no item has."""
        return np.fromiter(map(self._tag_numbers.get, tag_ids.tolist(), repeat(0)), dtype=np.int64, count=len(tag_ids))

    @property
    def tag_count(self) -> int:
        """One more than the greatest tag number."""
        return len(self._tag_numbers)

    @property
    def ids(self) -> U64:
        """uint64 [n], item ids."""
        return self._arrays.ids[: len(self)]

    @property
    def creator_ids(self) -> U64:
        """uint64 [n], 0 without a creator."""
        return self._arrays.creator_ids[: len(self)]

    @property
    def first_tag_ids(self) -> U64:
        """uint64 [n], 0 without tags."""
        return self._arrays.first_tag_ids[: len(self)]

    @property
    def tag_ids(self) -> U64:
        """uint64 [n, 16], padded with 0."""
        return self._arrays.tag_ids[: len(self)]

    @property
    def tag_counts(self) -> I64:
        """int64 [n], tags that `tag_ids` holds."""
        return self._arrays.tag_counts[: len(self)]

    @property
    def tag_index(self) -> NDArray[np.int32]:
        """int32 [n, 16], numbers of the tags, padded with 0."""
        return self._arrays.tag_index[: len(self)]

    @property
    def creator_index(self) -> NDArray[np.int32]:
        """int32 [n], number of the creator in `creators`, 0 without one."""
        return self._arrays.creator_index[: len(self)]

    @property
    def locale_index(self) -> NDArray[np.int32]:
        """int32 [n], place in `locales`."""
        return self._arrays.locale_index[: len(self)]

    @property
    def changed(self) -> I64:
        """int64 [n], the table's version as of the last change of each row's own states."""
        return self._arrays.changed[: len(self)]

    @property
    def content(self) -> F16:
        """float16 [n, 16], content vectors."""
        return self._arrays.content16[: len(self)]

    @property
    def content32(self) -> F32:
        """float32 [n, 16], content vectors."""
        return self._arrays.content32[: len(self)]

    @property
    def eligibility(self) -> U8:
        """uint8 [n], `Eligibility` bits."""
        return self._arrays.eligibility[: len(self)]

    @property
    def published_ms(self) -> I64:
        """int64 [n], -1 when unknown."""
        return self._arrays.published[: len(self)]

    @property
    def first_upsert_ms(self) -> I64:
        """int64 [n], -1 while never upserted."""
        return self._arrays.first_upsert[: len(self)]

    @property
    def stamp_ms(self) -> I64:
        """int64 [n], time of the newest catalogue fact, -1 without one."""
        return self._arrays.stamp[: len(self)]

    @property
    def first_ms(self) -> I64:
        """int64 [n], first engagement by event time, -1 without one."""
        return self.counts.first_ms[: len(self)]

    @property
    def last_ms(self) -> I64:
        """int64 [n], last engagement by event time, -1 without one."""
        return self.counts.last_ms[: len(self)]

    @property
    def engagements(self) -> I64:
        """int64 [n], engagements ever."""
        return self.counts.totals[:, Counter.ENGAGEMENTS][: len(self)]

    @property
    def likes(self) -> I64:
        """int64 [n], likes ever."""
        return self.counts.totals[:, Counter.LIKES][: len(self)]

    @property
    def views(self) -> I64:
        """int64 [n], confirmed views ever."""
        return self.counts.totals[:, Counter.VIEWS][: len(self)]
