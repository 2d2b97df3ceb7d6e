"""Source `trending`: the items with the most engagement lately, by counts that halve every week."""

from __future__ import annotations

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal
from loopwright.retrieval.sources.source import CandidateSource


class Trending(CandidateSource):
    """Decayed engagements plus decayed likes as of the request's hour; items without any are not proposed."""

    source = Source.TRENDING

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return the items with the highest decayed count."""
        rows, scores = evidence.highest("trending", quota), evidence.items.trending
        rows = rows[scores[rows] > 0]
        return Proposal(evidence.items.ids[rows], scores[rows])
