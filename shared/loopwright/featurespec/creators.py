"""What all items of each creator gathered together: integer sums, kept by adding what changed."""

from __future__ import annotations

import numpy as np

from loopwright.domain.vectors import I64
from loopwright.featurespec.facts import COUNTERS

_SMALLEST = 64


class Creators:
    """Creators by number; number 0 is "no creator" and gathers nothing that anybody reads.

    Attributes:
        totals: int64 [capacity, 8] by `Counter`.
        items: int64 [capacity], items of the creator.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {0: 0}
        self.totals: I64 = np.zeros((_SMALLEST, COUNTERS), dtype=np.int64)
        self.items: I64 = np.zeros(_SMALLEST, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._numbers)

    def copy(self) -> Creators:
        """Return an independent copy."""
        twin = Creators()
        twin._numbers, twin.totals, twin.items = dict(self._numbers), self.totals.copy(), self.items.copy()
        return twin

    def number(self, creator_id: int) -> int:
        """Return the number of a creator, given at first sight."""
        number = self._numbers.setdefault(creator_id, len(self._numbers))
        if number >= len(self.items):
            self.totals = np.concatenate([self.totals, np.zeros_like(self.totals)])
            self.items = np.concatenate([self.items, np.zeros_like(self.items)])
        return number

    def move(self, before: int, after: int, totals: I64) -> None:
        """Move an item with these totals from one creator to another."""
        if before != after:
            self.totals[before] -= totals
            self.totals[after] += totals
            self.items[before] -= 1
            self.items[after] += 1

    def count(self, numbers: I64, changes: I64) -> None:
        """Add changes int64 [m, 8] of items to their creators' totals, numbers int [m]."""
        np.add.at(self.totals, numbers, changes)
