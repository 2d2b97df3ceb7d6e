"""`IdIndex`: the row of an item id, looked up for thousands of ids in a few array operations; item tables hold one."""

from __future__ import annotations

import numpy as np

from loopwright.domain.vectors import I64, U64

_SMALLEST_BITS = 8
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)
"""2**64 over the golden ratio: the high bits of a product with it depend on all bits of the id (Knuth, TAOCP 6.4)."""

MISSING = -1


class IdIndex:
    """An open-addressing hash table with linear probing, at most a quarter full; ids go in once and never leave."""

    def __init__(self) -> None:
        self._count = 0
        self._make(_SMALLEST_BITS)

    def __len__(self) -> int:
        return self._count

    def _make(self, bits: int) -> None:
        self._shift, self._mask = np.uint64(64 - bits), (1 << bits) - 1
        self._ids: U64 = np.zeros(1 << bits, dtype=np.uint64)
        self._rows: I64 = np.full(1 << bits, MISSING, dtype=np.int64)

    def _places(self, item_ids: U64) -> I64:
        return ((item_ids * _SPREAD) >> self._shift).astype(np.int64)

    def extend(self, item_ids: U64) -> None:
        """Give ids that are not in the table yet, all different, the rows that follow the last one."""
        rows = np.arange(self._count, self._count + len(item_ids), dtype=np.int64)
        self._count += len(item_ids)
        if 4 * self._count > len(self._rows):
            used = np.flatnonzero(self._rows >= 0)
            item_ids = np.concatenate([self._ids[used], item_ids])
            rows = np.concatenate([self._rows[used], rows])
            self._make((4 * self._count).bit_length())
        place = self._places(item_ids)
        while len(rows):
            free = self._rows[place] < 0
            self._rows[place[free]] = rows[free]  # of ids that meet in one place the last one stays
            stays = self._rows[place] == rows
            self._ids[place[stays]] = item_ids[stays]
            item_ids, rows, place = item_ids[~stays], rows[~stays], (place[~stays] + 1) & self._mask

    def rows_of(self, item_ids: U64) -> I64:
        """Return int64 [n]: the row of each id, -1 for ids that are not in the table."""
        place = self._places(item_ids)
        rows = self._rows.take(place)
        others = np.flatnonzero((self._ids.take(place) != item_ids) & (rows >= 0))
        while len(others):
            place[others] = further = (place[others] + 1) & self._mask
            rows[others] = found = self._rows[further]
            others = others[(self._ids[further] != item_ids[others]) & (found >= 0)]
        return rows
