"""Source `popularity`: the items with the most engagement ever."""

from __future__ import annotations

import numpy as np

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal
from loopwright.retrieval.selection import best


class Popularity:
    """Engagements plus likes over an item's life; items without any come last, so that a new catalogue fills lists."""

    source = Source.POPULARITY

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return the items with the highest count."""
        rows = np.flatnonzero(~evidence.barred)
        ids, scores = evidence.items.ids[rows], evidence.items.popularity[rows]
        kept = best(ids, scores, quota)
        return Proposal(ids[kept], scores[kept])
