"""Decayed counts of items at any time, derived from their rings: what trends and the trending source read.

The decay factorises: a ring's sum relative to its head changes only with the ring and is kept; the time since the head
is one factor a row. So no request pays for a whole ring, and the turn of the hour costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import F64, I64, Bools
from loopwright.featurespec import rings
from loopwright.featurespec.facts import RING_COUNTERS, Counter
from loopwright.featurespec.item_counts import ItemCounts
from loopwright.featurespec.rings import DAY_MS, DAYS, HOUR_MS, HOURS

HALF_LIVES_D = (0.25, 1.0, 3.0, 7.0, 14.0, 30.0, 90.0)
"""Half-lives in days; the first is read from the hours, the others from the days."""

_CHUNK = 4096
_HOUR_WEIGHTS = rings.weights(HOURS, HALF_LIVES_D[0] * 24.0)[:, None]
_DAY_WEIGHTS = np.stack([rings.weights(DAYS, half_life) for half_life in HALF_LIVES_D[1:]], axis=1)

Wanted = Sequence[tuple[Counter, float]]


@dataclass(frozen=True, slots=True)
class CountsView:
    """Counts of n rows at one time: totals float64 [n, 8]; decayed float64 [n, w]; times int64 [n], -1 for never."""

    totals: F64
    decayed: F64
    first_ms: I64
    last_ms: I64
    fact_ms: I64


class Decays:
    """Decayed counts relative to each row's head, kept until the row changes."""

    def __init__(self, counts: ItemCounts) -> None:
        self._counts = counts
        self._sums: F64 = np.zeros((0, RING_COUNTERS, len(HALF_LIVES_D)))
        self._fresh: Bools = np.zeros(0, dtype=np.bool_)

    def forget(self, rows: I64) -> None:
        """Say that these rows have changed."""
        if len(self._fresh) < self._counts.capacity:
            sums = np.zeros((self._counts.capacity, *self._sums.shape[1:]))
            sums[: len(self._sums)] = self._sums
            fresh = np.zeros(self._counts.capacity, dtype=np.bool_)
            fresh[: len(self._fresh)] = self._fresh
            self._sums, self._fresh = sums, fresh
        self._fresh[rows] = False

    def _at_heads(self, rows: I64) -> F64:
        self.forget(np.zeros(0, dtype=np.int64))
        fresh = self._fresh[rows]
        stale = rows[:0] if fresh.all() else np.unique(rows[~fresh])
        for start in range(0, len(stale), _CHUNK):
            part = stale[start : start + _CHUNK]
            self._sums[part] = _sums(self._counts.hourly[part], self._counts.daily[part])
            self._fresh[part] = True
        return np.asarray(self._sums[rows], dtype=np.float64)

    def at(self, rows: I64, now_ms: int, wanted: Wanted) -> F64:
        """Return float64 [n, w]: the decayed count of each row for each (counter, half-life in days)."""
        return self.view(rows, now_ms, wanted).decayed

    def total(self, rows: I64, counter: Counter, now_ms: int) -> F64:
        """Return float64 [n]: one lifetime total as of `now_ms`, the same that `view` has."""
        counts = self._counts
        hour, day = now_ms // HOUR_MS, now_ms // DAY_MS
        if (counts.hour_heads.take(rows) > hour).any() or (counts.day_heads.take(rows) > day).any():
            return self.view(rows, now_ms, ()).totals[:, counter]
        return counts.totals[:, counter].take(rows).astype(np.float64)

    def view(self, rows: I64, now_ms: int, wanted: Wanted) -> CountsView:
        """Return the counts of rows as of `now_ms`: what happened in later hours and days is left out.

        Lifetime totals can be taken back as far as the rings reach: 90 days.
        """
        counts = self._counts
        totals = counts.totals[rows].astype(np.float64)
        hour_heads, day_heads = counts.hour_heads[rows], counts.day_heads[rows]
        first, last, fact = counts.first_ms[rows], counts.last_ms[rows], counts.fact_ms[rows]
        sums = self._at_heads(rows) if wanted else np.zeros((len(rows), *self._sums.shape[1:]))
        hour, day = now_ms // HOUR_MS, now_ms // DAY_MS
        late = np.flatnonzero((hour_heads > hour) | (day_heads > day))
        if len(late):
            hourly, daily = counts.hourly[rows[late]], counts.daily[rows[late]]
            cut_hourly, hour_heads[late] = rings.as_of(hourly, hour_heads[late], hour)
            cut_daily, day_heads[late] = rings.as_of(daily, day_heads[late], day)
            removed = np.maximum(
                hourly.sum(axis=2, dtype=np.int64) - cut_hourly.sum(axis=2, dtype=np.int64),
                daily.sum(axis=2, dtype=np.int64) - cut_daily.sum(axis=2, dtype=np.int64),
            )
            totals[late, :RING_COUNTERS] -= removed
            sums[late] = _sums(cut_hourly, cut_daily)
            engaged = cut_daily[:, Counter.ENGAGEMENTS] > 0
            newest = (day - engaged.argmax(axis=1) + 1) * DAY_MS - 1
            last[late] = np.where(engaged.any(axis=1), np.minimum(np.minimum(newest, now_ms), last[late]), -1)
            first[late] = np.where(first[late] > now_ms, -1, first[late])
            last[late] = np.where(last[late] < 0, first[late], last[late])
            fact[late] = np.where(fact[late] > now_ms, last[late], fact[late])
        decayed = np.empty((len(rows), len(wanted)))
        factors: dict[float, F64] = {}
        for place, (counter, half_life) in enumerate(wanted):
            column = HALF_LIVES_D.index(half_life)
            if half_life not in factors:
                factors[half_life] = (
                    rings.head_factor(day_heads, now_ms / DAY_MS, half_life)
                    if column
                    else rings.head_factor(hour_heads, now_ms / HOUR_MS, half_life * 24.0)
                )
            decayed[:, place] = sums[:, counter, column] * factors[half_life]
        return CountsView(totals, decayed, first, last, fact)


def _sums(hourly: np.ndarray, daily: np.ndarray) -> F64:
    """Return float64 [m, 3, 7]: exact whatever the order of the products, see `rings.weights`."""
    by_hour = hourly.astype(np.float64) @ _HOUR_WEIGHTS
    by_day = daily.astype(np.float64) @ _DAY_WEIGHTS
    return np.concatenate([by_hour, by_day], axis=2)
