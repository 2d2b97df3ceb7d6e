"""Source `popularity`: the items with the most engagement ever."""

from __future__ import annotations

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal
from loopwright.retrieval.sources.source import CandidateSource


class Popularity(CandidateSource):
    """Engagements plus likes over an item's life; items without any come last, so that a new catalogue fills lists."""

    source = Source.POPULARITY

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return the items with the highest count."""
        rows = evidence.highest("popularity", quota)
        return Proposal(evidence.items.ids[rows], evidence.items.popularity[rows])
