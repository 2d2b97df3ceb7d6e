"""Source `co_visitation`: the items that people engaged with who engaged with the user's items."""

from __future__ import annotations

import numpy as np

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal
from loopwright.retrieval.selection import best
from loopwright.retrieval.sources.source import CandidateSource


class CoVisitation(CandidateSource):
    """Items that the user's history supports in the co-visitation graph; empty for a user without history."""

    source = Source.CO_VISITATION

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return the items with the highest positive total."""
        said = evidence.graph_scores
        supported = np.flatnonzero(said.total > 0)
        ids, scores = said.item_ids[supported], said.total[supported]
        rows = evidence.items.rows_of(ids)
        allowed = rows >= 0
        allowed[allowed] = ~evidence.barred[rows[allowed]]
        ids, scores = ids[allowed], scores[allowed]
        kept = best(ids, scores, quota)
        return Proposal(ids[kept], scores[kept])
