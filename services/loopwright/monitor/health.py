"""The whole fold of the monitor: facts of the loop in, one summary out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from loopwright.eventlog import DedupWindow, Freshness, Record, SkipAndCount
from loopwright.faults import InvalidRequest
from loopwright.featurespec.folds.validity import flaw_of
from loopwright.monitor.accounting import STATES, Accounting
from loopwright.monitor.catalogue import Catalogue
from loopwright.monitor.concentration import concentration
from loopwright.monitor.convert import fact_of
from loopwright.monitor.exposure import CREDIT, Exposure, ExposureDays
from loopwright.monitor.facts import Acted, Fact, Listed, Served, Unlisted, Viewed

SETTLING_MS = 3_600_000
"""How long after the mesh got a fact it may still be appended, as from an outbox while the log was away; slates stay
open for this much longer than a report on them counts."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a position waits for a report, what exposure shares are over, and how old fresh may be."""

    report_ms: int
    exposure_days: int
    fresh_ms: int


class LoopHealth:
    """Pure but for memory: no I/O, no clock. Repeats are dropped by event id, per topic and logical partition.

    Attributes:
        skipped: Counts the records that no figure includes, because they cannot be used.
        newest_ms: Mesh time of the newest fact that was folded.
    """

    def __init__(self, windows: Windows) -> None:
        self.catalogue = Catalogue()
        self.accounting = Accounting(windows.report_ms)
        self.exposure = ExposureDays(windows.exposure_days)
        self.skipped = SkipAndCount("monitor")
        self.version = 0
        self.newest_ms = 0
        self._windows = windows
        self._dedup: dict[tuple[str, int], DedupWindow] = {}
        self._dropped: Counter[str] = Counter()

    def apply(self, record: Record) -> None:
        """Fold one record; one that is malformed or contradicts itself is counted as skipped."""
        fact = self._fact_of(record)
        if fact is None:
            return
        self.version += 1
        if isinstance(fact, Listed | Unlisted):
            self.catalogue.apply(fact)
            return
        window = self._dedup.setdefault((record.topic, record.logical), DedupWindow())
        freshness = window.classify(record.event)
        if freshness is Freshness.FRESH:
            self.take(fact)
        else:
            self._dropped[freshness.name] += 1

    def _fact_of(self, record: Record) -> Fact | None:
        flaw = flaw_of(record.event)
        try:
            if not flaw:
                return fact_of(record.event)
        except (InvalidRequest, ValueError) as error:
            flaw = str(error)
        self.skipped.invalid(record, flaw)
        self.version += 1
        return None

    def take(self, fact: Served | Viewed | Acted) -> None:
        """Fold one fact that is no repeat."""
        self.newest_ms = max(self.newest_ms, _time_of(fact))
        self.accounting.apply(fact)
        if isinstance(fact, Served):
            ages = (self.catalogue.age_ms(shown.item_id, fact.decided_ms) for shown in fact.slate)
            self.exposure.apply(fact, sum(age is not None and age <= self._windows.fresh_ms for age in ages))

    def tidy(self, read_to_ms: int) -> None:
        """Let go of what is older than the windows; it changes no figure.

        Args:
            read_to_ms: Mesh time, not in the future, to which all topics are read.
        """
        self.accounting.settle(read_to_ms - SETTLING_MS)
        self.exposure.forget(read_to_ms)

    def summary(self, now_ms: int) -> dict[str, Any]:
        """Return the figures at a mesh time, ready for JSON; see the README for every field."""
        totals = self.accounting.totals(now_ms)
        exposure = self.exposure.within(now_ms)
        items, creators = self.catalogue.present()
        return {
            "mesh_time_ms": now_ms,
            "exposure_window_days": self._windows.exposure_days,
            "duplicates": self._dropped["DUPLICATE"],
            "late": self._dropped["LATE"],
            "skipped": dict(sorted(self.skipped.counts.items())),
            "surfaces": {
                surface: {
                    "accounting": totals.get(surface, dict.fromkeys(STATES, 0)),
                    **shares(exposure.get(surface, Exposure()), items, creators),
                }
                for surface in sorted(totals.keys() | exposure.keys())
            },
        }


def shares(seen: Exposure, items: Set[int], creators: Set[int]) -> dict[str, Any]:
    """Return a surface's counters as shares; sources share a position evenly, so their shares add up to 1.

    Args:
        seen: The counters.
        items: What is listed now; `creators` likewise.
        creators: See `items`.
    """
    return {
        "decisions": seen.decisions,
        "positions": seen.positions,
        "undegraded_share": 1.0 - _share(seen.degraded, seen.decisions) if seen.decisions else None,
        "degradations": dict(sorted(seen.degradations.items())),
        "fresh_share": _share(seen.fresh, seen.positions),
        "sources": {name: _share(n, CREDIT * seen.positions) for name, n in sorted(seen.credits.items())},
        "schemes": {name: _share(n, seen.positions) for name, n in sorted(seen.schemes.items())},
        "items": _spread(seen.items, items),
        "creators": _spread(seen.creators, creators),
    }


def _spread(exposures: Mapping[int, int], listed: Set[int]) -> dict[str, Any]:
    """Return how exposures fall on what is listed now or was shown in the window, since withdrawn or not."""
    found = concentration(exposures.values(), len(listed) + len(exposures.keys() - listed))
    return {
        "shown": found.shown,
        "population": found.population,
        "coverage": found.coverage,
        "gini": found.gini,
        "top_1pct_share": found.top_share,
    }


def _time_of(fact: Served | Viewed | Acted) -> int:
    if isinstance(fact, Served):
        return fact.decided_ms
    return fact.viewed_ms if isinstance(fact, Viewed) else fact.acted_ms


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
