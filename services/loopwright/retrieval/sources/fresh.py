"""Source `fresh`: the newest items of the catalogue."""

from __future__ import annotations

import math

import numpy as np

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal

NEWEST_SHARE = 0.05
"""Share of the items, newest first, that count as fresh even when none is younger than `fresh_days`."""
_UNKNOWN_MS = -1
_DAY_MS = 86_400_000.0


class Fresh:
    """Items younger than the bundle's `fresh_days`, or the newest 5 % if those are more; newest first."""

    source = Source.FRESH

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return the newest items, ties by item id; the score is 1 / (1 + age in days)."""
        now_ms, items = evidence.query.now_ms, evidence.items
        born = (items.born_ms != _UNKNOWN_MS) & (items.born_ms <= now_ms) & (items.eligibility == 0)
        newest = np.flatnonzero(born)
        newest = newest[np.lexsort((items.ids[newest], -items.born_ms[newest]))]
        age_days = (now_ms - items.born_ms[newest]) / _DAY_MS
        young = int(np.count_nonzero(age_days <= evidence.query.fresh_days))
        window = max(young, math.ceil(NEWEST_SHARE * len(newest)))
        allowed = ~evidence.barred[newest[:window]]
        rows, age_days = newest[:window][allowed][:quota], age_days[:window][allowed][:quota]
        return Proposal(items.ids[rows], (1.0 / (1.0 + age_days)).astype(np.float32))
