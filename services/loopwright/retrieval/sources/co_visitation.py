"""Source `co_visitation`: the items that people engaged with who engaged with the user's items."""

from __future__ import annotations

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal
from loopwright.retrieval.selection import best


class CoVisitation:
    """Items that the user's history supports in the co-visitation graph; empty for a user without history."""

    source = Source.CO_VISITATION

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return the items with the highest positive total."""
        ids, scores = evidence.graph.item_ids, evidence.graph_scores.total
        rows = evidence.items.rows_of(ids)
        allowed = (rows >= 0) & (scores > 0)
        allowed[allowed] &= ~evidence.barred[rows[allowed]]
        ids, scores = ids[allowed], scores[allowed]
        kept = best(ids, scores, quota)
        return Proposal(ids[kept], scores[kept])
