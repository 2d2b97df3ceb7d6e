"""What was exposed, per surface and day of mesh time: items, creators, sources, branches, freshness, degradations."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from loopwright.monitor.facts import Served
from loopwright.monitor.strays import DAY_MS

CREDIT = math.lcm(*range(1, 17))
"""A position's credit, split evenly among its crediting sources: at most 16 are on record, so sums stay whole."""


@dataclass(slots=True)
class Exposure:
    """Counters over SERVE decisions; adding them up knows no order."""

    decisions: int = 0
    degraded: int = 0
    positions: int = 0
    fresh: int = 0
    items: Counter[int] = field(default_factory=Counter)
    creators: Counter[int] = field(default_factory=Counter)
    credits: Counter[str] = field(default_factory=Counter)
    schemes: Counter[str] = field(default_factory=Counter)
    degradations: Counter[str] = field(default_factory=Counter)

    def add(self, served: Served, fresh: int) -> None:
        """Count one decision, `fresh` of whose positions hold fresh items."""
        self.decisions += 1
        self.degraded += bool(served.degradations)
        self.positions += len(served.slate)
        self.fresh += fresh
        self.degradations.update(served.degradations)
        for shown in served.slate:
            self.items[shown.item_id] += 1
            if shown.creator_id:
                self.creators[shown.creator_id] += 1
            self.schemes[shown.scheme.name] += 1
            for source in shown.sources:
                self.credits[source.name] += CREDIT // len(shown.sources)

    def merge(self, other: Exposure) -> None:
        """Add another's counters to these."""
        self.decisions += other.decisions
        self.degraded += other.degraded
        self.positions += other.positions
        self.fresh += other.fresh
        for name in ("items", "creators", "credits", "schemes", "degradations"):
            getattr(self, name).update(getattr(other, name))


class ExposureDays:
    """Counters per surface and day; days before the window are dropped."""

    def __init__(self, window_days: int) -> None:
        self._window_days = window_days
        self._days: dict[tuple[str, int], Exposure] = {}

    def apply(self, served: Served, fresh: int) -> None:
        """Count one decision under its day."""
        self._days.setdefault((served.surface, served.decided_ms // DAY_MS), Exposure()).add(served, fresh)

    def forget(self, now_ms: int) -> None:
        """Drop the days that have left the window."""
        first = self._first(now_ms)
        self._days = {key: day for key, day in self._days.items() if key[1] >= first}

    def within(self, now_ms: int) -> dict[str, Exposure]:
        """Return surface -> counters over the window that ends today."""
        found: dict[str, Exposure] = {}
        for surface, day in sorted(self._days):
            if day >= self._first(now_ms):
                found.setdefault(surface, Exposure()).merge(self._days[surface, day])
        return found

    def _first(self, now_ms: int) -> int:
        return now_ms // DAY_MS - self._window_days + 1
