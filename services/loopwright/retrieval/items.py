"""`ItemSnapshots`: the mirrored items as sources read them; a snapshot is taken on the event loop and never changes.

The mirror changes the table between requests, sources run on threads: only copies cross from one to the other.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import F32, I64, U8, U64
from loopwright.featurespec.facts import Counter
from loopwright.featurespec.table import ItemTable

HALF_LIFE_DAYS = 7.0
"""Half-life of an engagement's weight in `trending`."""
HOUR_MS = 3_600_000
_UNKNOWN_MS = -1
_KEPT = 4


@dataclass(frozen=True, slots=True)
class ItemSnapshot:
    """Every item of one moment, by ascending id; n items.

    Attributes:
        ids: uint64 [n].
        eligibility: uint8 [n], `Eligibility` bits.
        born_ms: int64 [n]; published, else first stated or first interacted with; -1 unknown.
        popularity: float32 [n], engagements plus likes as of the moment.
        trending: float32 [n], the same, halving every `HALF_LIFE_DAYS`, as of the moment's hour.
    """

    ids: U64
    eligibility: U8
    born_ms: I64
    popularity: F32
    trending: F32

    def rows_of(self, item_ids: U64) -> I64:
        """Return int64 [m]: the row of each id, -1 where there is none."""
        if not len(self.ids):
            return np.full(len(item_ids), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.ids, item_ids), len(self.ids) - 1)
        return np.where(self.ids[place] == item_ids, place, -1).astype(np.int64)


class ItemSnapshots:
    """Snapshots of a table; one is taken anew when the table has changed or the mesh hour is another."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table
        self._version = -1
        self._taken: OrderedDict[int, ItemSnapshot] = OrderedDict()

    def at(self, now_ms: int) -> ItemSnapshot:
        """Return the items as of the hour of `now_ms`; to be called where the table is changed: on the event loop."""
        if self._version != self._table.version:
            self._taken.clear()
            self._version = self._table.version
        hour_ms = now_ms - now_ms % HOUR_MS
        snapshot = self._taken.get(hour_ms)
        if snapshot is None:
            snapshot = self._taken[hour_ms] = take_snapshot(self._table, hour_ms)
            if len(self._taken) > _KEPT:
                self._taken.popitem(last=False)
        return snapshot


def take_snapshot(table: ItemTable, now_ms: int) -> ItemSnapshot:
    """Return the items as of `now_ms`; interactions in later hours and days are left out."""
    rows = np.argsort(table.ids, kind="stable").astype(np.int64)
    wanted = [(Counter.ENGAGEMENTS, HALF_LIFE_DAYS), (Counter.LIKES, HALF_LIFE_DAYS)]
    counts = table.decays.view(rows, now_ms, wanted)
    published, stated, first = table.published_ms[rows], table.first_upsert_ms[rows], counts.first_ms
    never = np.iinfo(np.int64).max
    seen = np.minimum(np.where(stated == _UNKNOWN_MS, never, stated), np.where(first == _UNKNOWN_MS, never, first))
    born = np.where(published != _UNKNOWN_MS, published, np.where(seen == never, _UNKNOWN_MS, seen))
    return ItemSnapshot(
        ids=table.ids[rows],
        eligibility=table.eligibility[rows],
        born_ms=born.astype(np.int64),
        popularity=(counts.totals[:, Counter.ENGAGEMENTS] + counts.totals[:, Counter.LIKES]).astype(np.float32),
        trending=counts.decayed.sum(axis=1).astype(np.float32),
    )
