"""Reports that no slate on record explains: kept for a day or two, as their decision may be read after them."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

DAY_MS = 86_400_000


class Report(NamedTuple):
    """What a client said of one item: `bit` is what it adds to the item's state, `at_ms` when the log got it."""

    decision_id: bytes
    surface: str
    at_ms: int
    item_id: int
    bit: int


class Strays:
    """An item of a decision counts once per surface and day of mesh time, however often it is reported.

    Attributes:
        counts: Items per surface, those of forgotten days included.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._days: dict[int, dict[bytes, dict[tuple[str, int], set[Report]]]] = {}

    def add(self, report: Report) -> None:
        """Count a report and keep it."""
        items = self._days.setdefault(report.at_ms // DAY_MS, {}).setdefault(report.decision_id, {})
        reports = items.setdefault((report.surface, report.item_id), set())
        self.counts[report.surface] += not reports
        reports.add(report)

    def take(self, decision_id: bytes) -> list[Report]:
        """Return a decision's reports and count them no more."""
        found: list[Report] = []
        for day in self._days.values():
            for (surface, _), reports in day.pop(decision_id, {}).items():
                self.counts[surface] -= 1
                found += reports
        return found

    def forget(self, before_ms: int) -> None:
        """Let go of the days that end by `before_ms`; they stay counted."""
        self._days = {day: kept for day, kept in self._days.items() if (day + 1) * DAY_MS > before_ms}
