"""Source `trending`: the items with the most engagement lately, by counts that halve every week."""

from __future__ import annotations

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal
from loopwright.retrieval.selection import best


class Trending:
    """Decayed engagements plus decayed likes as of the request's hour; items without any are not proposed."""

    source = Source.TRENDING

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return the items with the highest decayed count."""
        allowed = ~evidence.barred & (evidence.items.trending > 0)
        ids, scores = evidence.items.ids[allowed], evidence.items.trending[allowed]
        kept = best(ids, scores, quota)
        return Proposal(ids[kept], scores[kept])
