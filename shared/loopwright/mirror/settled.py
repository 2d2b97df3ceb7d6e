"""`SettledRows`: what each row's columns say of the row alone, kept until the row changes or the hour turns.

The mirror asks it with every request. A row is derived when it is first asked for after a change, never twice.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from loopwright.domain.vectors import F16, F64, I64, U8, U32
from loopwright.featurespec.settled_columns import BASIS_WIDTH, LAYOUT, SETTLED_WIDTH, Settled, settled_columns
from loopwright.featurespec.table import ItemTable

HOURS_KEPT = 2
"""The present hour, and another one that somebody decides at."""

_NEVER = -1


class _Hour:
    """One hour's rows: float16 [n, 54], float64 [n, 12], uint32 and uint8 [n, 4], 230 bytes a row."""

    def __init__(self, capacity: int) -> None:
        self.derived: I64 = np.full(capacity, _NEVER, dtype=np.int64)  # the table's `changed` of what is kept
        self.columns: F16 = np.zeros((capacity, SETTLED_WIDTH), dtype=np.float16)
        self.basis: F64 = np.zeros((capacity, BASIS_WIDTH), dtype=np.float64)
        self.ages_s: U32 = np.zeros((capacity, len(LAYOUT)), dtype=np.uint32)
        self.mask: U8 = np.zeros((capacity, len(LAYOUT)), dtype=np.uint8)

    def grow(self, capacity: int) -> None:
        larger = _Hour(capacity)
        for name in self.__dict__:
            getattr(larger, name)[: len(self.derived)] = getattr(self, name)
        self.__dict__.update(larger.__dict__)


class SettledRows:
    """The rows of one table; to be asked where the table is changed: on the event loop."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table
        self._hours: OrderedDict[int, _Hour] = OrderedDict()

    def at(self, rows: I64, hour_ms: int) -> Settled:
        """Return `settled_columns` of rows int64 [n], all of the table, in arrays of the caller's own."""
        kept = self._hour(hour_ms)
        behind = kept.derived.take(rows) != self._table.changed.take(rows)
        if behind.any():
            stale = np.unique(rows[behind])
            fresh = settled_columns(self._table, stale, hour_ms)
            kept.columns[stale], kept.basis[stale] = fresh.columns, fresh.basis
            kept.ages_s[stale], kept.mask[stale] = fresh.ages_s, fresh.mask
            kept.derived[stale] = self._table.changed[stale]
        return Settled(
            columns=kept.columns.take(rows, axis=0),
            basis=kept.basis.take(rows, axis=0),
            ages_s=kept.ages_s.take(rows, axis=0),
            mask=kept.mask.take(rows, axis=0),
        )

    def _hour(self, hour_ms: int) -> _Hour:
        kept = self._hours.get(hour_ms)
        if kept is None:
            kept = self._hours[hour_ms] = _Hour(len(self._table))
            if len(self._hours) > HOURS_KEPT:
                self._hours.popitem(last=False)
        self._hours.move_to_end(hour_ms)
        if len(kept.derived) < len(self._table):
            kept.grow(max(len(self._table), 2 * len(kept.derived)))
        return kept
