"""`ItemSnapshots`: the mirrored items as sources read them; a snapshot is taken on the event loop and never changes.

The mirror changes the table between requests, sources run on threads: only copies cross from one to the other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from loopwright.domain.vectors import F32, I64, U8, U64, Bools
from loopwright.featurespec.facts import Counter
from loopwright.featurespec.table import ItemTable
from loopwright.retrieval.selection import best

T = TypeVar("T")

HALF_LIFE_DAYS = 7.0
"""Half-life of an engagement's weight in `trending`."""
HOUR_MS = 3_600_000
LEADING = 4096
"""Rows that stand ready by popularity and trend: a quota and what most requests must leave out of it fit in."""

_UNKNOWN_MS = -1
_KEPT = 4
_LASTING = ("newest", "ineligible")
"""What is found of eligibility and birth alone."""


@dataclass(frozen=True, slots=True)
class ItemSnapshot:
    """Every item of one moment, by ascending id; n items.

    Attributes:
        ids: uint64 [n].
        eligibility: uint8 [n], `Eligibility` bits.
        creator_ids: uint64 [n], hash of the creator's name; 0 where the catalogue names none.
        born_ms: int64 [n]; published, else first stated or first interacted with; -1 unknown.
        popularity: float32 [n], engagements plus likes as of the moment.
        trending: float32 [n], the same, halving every `HALF_LIFE_DAYS`, as of the moment's hour.
    """

    ids: U64
    eligibility: U8
    creator_ids: U64
    born_ms: I64
    popularity: F32
    trending: F32
    _found: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def ineligible(self) -> Bools:
        """What nobody may be shown, bool [n]."""
        barred: Bools = self.eligibility != 0
        return barred

    def ineligible_ids(self) -> U64:
        """Return the ids, ascending, of what nobody may be shown."""
        return self._kept("ineligible", lambda: self.ids[self.ineligible])

    def newest(self) -> tuple[I64, I64]:
        """Return rows and births of eligible items whose birth is known, newest first, ties by id."""
        return self._kept("newest", self._by_birth)

    def _by_birth(self) -> tuple[I64, I64]:
        rows = np.flatnonzero((self.born_ms != _UNKNOWN_MS) & ~self.ineligible)
        rows = rows[np.argsort(-self.born_ms[rows], kind="stable")]
        return rows, self.born_ms[rows]

    def leading(self, column: str) -> I64:
        """Return the rows of the `LEADING` eligible items with the highest values, best first, ties by id.

        Args:
            column: `popularity` or `trending`.
        """
        return self._kept(column, lambda: self._highest(getattr(self, column)))

    def _highest(self, values: F32) -> I64:
        rows = np.flatnonzero(~self.ineligible)
        return rows[best(self.ids[rows], values[rows], LEADING)]

    def _kept(self, name: str, find: Callable[[], T]) -> T:
        # Two threads may look for the same at once; both find the same.
        if name not in self._found:
            self._found[name] = find()
        found: T = self._found[name]
        return found

    def with_changed(self, changed: ItemSnapshot) -> ItemSnapshot:
        """Return a snapshot of the same items with those of another one, all among them, in their place."""
        places = np.searchsorted(self.ids, changed.ids)
        columns = {}
        for name in ("eligibility", "creator_ids", "born_ms", "popularity", "trending"):
            columns[name] = getattr(self, name).copy()
            columns[name][places] = getattr(changed, name)
        snapshot = ItemSnapshot(self.ids, **columns)
        alike = all((getattr(self, name)[places] == columns[name][places]).all() for name in ("eligibility", "born_ms"))
        if alike:  # whom people act on stays as old as it was
            snapshot._found.update({name: self._found[name] for name in _LASTING if name in self._found})
        return snapshot

    def rows_of(self, item_ids: U64) -> I64:
        """Return int64 [m]: the row of each id, -1 where there is none."""
        if not len(self.ids):
            return np.full(len(item_ids), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.ids, item_ids), len(self.ids) - 1)
        return np.where(self.ids[place] == item_ids, place, -1).astype(np.int64)


class ItemSnapshots:
    """Snapshots of a table; when rows have changed they alone are described anew, in a copy."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table
        self._order = np.zeros(0, dtype=np.int64)  # rows by id; only new items change it
        self._taken: OrderedDict[int, tuple[int, ItemSnapshot]] = OrderedDict()

    def at(self, now_ms: int) -> ItemSnapshot:
        """Return the items as of the hour of `now_ms`; to be called where the table is changed: on the event loop."""
        table, hour_ms = self._table, now_ms - now_ms % HOUR_MS
        version, snapshot = self._taken.get(hour_ms, (-1, None))
        if snapshot is not None and version == table.version:
            return snapshot
        if len(self._order) != len(table):
            self._order = np.argsort(table.ids, kind="stable").astype(np.int64)
        if snapshot is None or len(snapshot.ids) != len(table):
            snapshot = _described(table, self._order, hour_ms)
        else:
            changed = self._order[table.changed[self._order] > version]
            snapshot = snapshot.with_changed(_described(table, changed, hour_ms))
        self._taken[hour_ms] = table.version, snapshot
        if len(self._taken) > _KEPT:
            self._taken.popitem(last=False)
        return snapshot


def take_snapshot(table: ItemTable, now_ms: int) -> ItemSnapshot:
    """Return the items as of `now_ms`; interactions in later hours and days are left out."""
    return _described(table, np.argsort(table.ids, kind="stable").astype(np.int64), now_ms)


def _described(table: ItemTable, rows: I64, now_ms: int) -> ItemSnapshot:
    """Return a snapshot of these rows alone, which are by ascending id."""
    wanted = [(Counter.ENGAGEMENTS, HALF_LIFE_DAYS), (Counter.LIKES, HALF_LIFE_DAYS)]
    counts = table.decays.view(rows, now_ms, wanted)
    published, stated, first = table.published_ms[rows], table.first_upsert_ms[rows], counts.first_ms
    never = np.iinfo(np.int64).max
    seen = np.minimum(np.where(stated == _UNKNOWN_MS, never, stated), np.where(first == _UNKNOWN_MS, never, first))
    born = np.where(published != _UNKNOWN_MS, published, np.where(seen == never, _UNKNOWN_MS, seen))
    return ItemSnapshot(
        ids=table.ids[rows],
        eligibility=table.eligibility[rows],
        creator_ids=table.creator_ids[rows],
        born_ms=born.astype(np.int64),
        popularity=(counts.totals[:, Counter.ENGAGEMENTS] + counts.totals[:, Counter.LIKES]).astype(np.float32),
        trending=counts.decayed.sum(axis=1).astype(np.float32),
    )
