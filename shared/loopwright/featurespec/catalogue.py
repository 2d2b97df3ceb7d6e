"""Sums over all items and over each creator's, kept by adding what changed: integers, so the order never matters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import F64, I64, U32
from loopwright.featurespec.facts import COUNTERS, RING_COUNTERS, Counter
from loopwright.featurespec.rings import DAY_MS, DAYS, head_factor

RATE_STRENGTH = 10.0
"""Pseudo-observations of the catalogue's mean in every smoothed rate of an item."""


@dataclass(frozen=True, slots=True)
class CatalogueView:
    """The catalogue at one time, for columns that compare an item with it.

    Attributes:
        items: Items known to the catalogue, at least 1.
        totals: float64 [8] by `Counter`.
        like_rate: Share of engagements that are likes, smoothed.
        slate_rate: Engagements per confirmed view, smoothed.
        rating_mean: Mean rating; 0 without any.
        rating_std: Standard deviation of ratings; 1 without two different ones.
    """

    items: float
    totals: F64
    like_rate: float
    slate_rate: float
    rating_mean: float
    rating_std: float

    def mean(self, counter: Counter) -> float:
        """Return the mean count of an item."""
        return float(self.totals[counter]) / self.items


class Catalogue:
    """Totals int64 [8], engagements by day, and the number of known items."""

    def __init__(self) -> None:
        self.items = 0
        self.totals: I64 = np.zeros(COUNTERS, dtype=np.int64)
        self._by_day: dict[int, I64] = {}
        self._sorted: tuple[I64, I64] | None = None  # days ascending and their counts, until something changes

    def _days(self) -> tuple[I64, I64]:
        if self._sorted is None:
            days = sorted(self._by_day)
            counts = [self._by_day[day] for day in days]
            empty = np.zeros((0, RING_COUNTERS), dtype=np.int64)
            self._sorted = np.array(days, dtype=np.int64), np.stack(counts) if counts else empty
        return self._sorted

    def copy(self) -> Catalogue:
        """Return an independent copy."""
        twin = Catalogue()
        twin.items, twin.totals = self.items, self.totals.copy()
        twin._by_day = {day: counts.copy() for day, counts in self._by_day.items()}
        return twin

    def change(self, totals: I64, daily: U32, heads: I64, sign: int) -> None:
        """Add (sign 1) or take away (-1) rows: totals int64 [m, 8], daily uint32 [m, 3, 90], heads int64 [m]."""
        self.totals += sign * totals.sum(axis=0)
        filled = np.flatnonzero(heads >= 0)
        if not len(filled):
            return
        self._sorted = None
        days = heads[filled, None] - np.arange(DAYS)
        first = int(days.min())
        span = int(days.max()) - first + 1
        sums = [
            np.bincount((days - first).ravel(), daily[filled, counter].ravel().astype(np.float64), span)
            for counter in range(RING_COUNTERS)
        ]
        by_day = np.rint(np.stack(sums, axis=1)).astype(np.int64)
        for place in np.flatnonzero(by_day.any(axis=1)).tolist():
            day = first + place
            changed = self._by_day.get(day, 0) + sign * by_day[place]
            if changed.any():
                self._by_day[day] = changed
            else:
                self._by_day.pop(day, None)

    def view(self, now_ms: int) -> CatalogueView:
        """Return the catalogue at `now_ms`, days after it left out."""
        today = now_ms // DAY_MS
        totals = self.totals.astype(np.float64)
        days, counts = self._days()
        if len(days) and days[-1] > today:
            totals[:RING_COUNTERS] -= counts[days > today].sum(axis=0)
        engaged, ratings = totals[Counter.ENGAGEMENTS], totals[Counter.RATINGS]
        mean = std = 0.0
        if ratings > 0:
            mean = float(totals[Counter.RATING_SUM] / 1000.0 / ratings)
            std = float(np.sqrt(max(0.0, totals[Counter.RATING_SQUARES] / 1e6 / ratings - mean * mean)))
        return CatalogueView(
            items=float(max(1, self.items)),
            totals=totals,
            like_rate=float((totals[Counter.LIKES] + 1.0) / (engaged + 2.0)),
            slate_rate=float((totals[Counter.SLATE_ENGAGEMENTS] + 1.0) / (totals[Counter.VIEWS] + 20.0)),
            rating_mean=mean,
            rating_std=std or 1.0,
        )

    def decayed(self, counter: Counter, half_life_days: float, now_ms: int) -> float:
        """Return the catalogue's decayed count at `now_ms`."""
        days, counts = self._days()
        kept = days <= now_ms // DAY_MS
        return float((counts[kept, counter] * head_factor(days[kept], now_ms / DAY_MS, half_life_days)).sum())
