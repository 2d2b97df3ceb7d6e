"""Source `two_tower`: the items whose embeddings are nearest to the user's, by inner product."""

from __future__ import annotations

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal, nothing
from loopwright.retrieval.sources.source import CandidateSource


class TwoTowerNeighbours(CandidateSource):
    """Neighbours of the user's embedding in graph and side buffer; empty when the bundle pins no two-tower model."""

    source = Source.TWO_TOWER

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return the nearest items.

        Raises:
            ModelNotFinite: The user tower answers NaN or infinity.
        """
        user, index = evidence.user_embedding, evidence.index
        if user is None or index is None:
            return nothing()
        return Proposal(*index.search(user, quota, evidence.barred_ids))
