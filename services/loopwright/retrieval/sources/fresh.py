"""Source `fresh`: the newest items of the catalogue."""

from __future__ import annotations

import math

import numpy as np

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal
from loopwright.retrieval.sources.source import CandidateSource

NEWEST_SHARE = 0.05
"""Share of the items, newest first, that count as fresh even when none is younger than `fresh_days`."""
_DAY_MS = 86_400_000.0


class Fresh(CandidateSource):
    """Items younger than the bundle's `fresh_days`, or the newest 5 % if those are more; newest first."""

    source = Source.FRESH

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return the newest items, ties by item id; the score is 1 / (1 + age in days)."""
        now_ms, items = evidence.query.now_ms, evidence.items
        newest, born_ms = items.newest()
        unborn = len(born_ms) - int(np.searchsorted(born_ms[::-1], now_ms, side="right"))
        newest, born_ms = newest[unborn:], born_ms[unborn:]
        share = math.ceil(NEWEST_SHARE * len(newest))
        allowed = np.flatnonzero(~evidence.barred[newest[:share]])[:quota]
        if len(allowed) < quota:
            young = np.count_nonzero((now_ms - born_ms) / _DAY_MS <= evidence.query.fresh_days)
            allowed = np.flatnonzero(~evidence.barred[newest[: max(young, share)]])[:quota]
        age_days = (now_ms - born_ms[allowed]) / _DAY_MS
        return Proposal(items.ids[newest[allowed]], (1.0 / (1.0 + age_days)).astype(np.float32))
