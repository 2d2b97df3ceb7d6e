"""The stages as Protocols: a gRPC client or, in one process, the domain object itself implements each."""

from __future__ import annotations

from typing import Protocol

from loopwright.pipeline.types import (
    CandidateSet,
    ItemColumns,
    ItemQuery,
    RetrievalQuery,
    ScoreQuery,
    Scores,
    Slate,
    SlateQuery,
    UserContext,
    UserQuery,
)
from loopwright.rpc import Deadline


class UserContextStage(Protocol):
    """Hydration of the user; raises BundleNotLoaded or a dependency fault."""

    async def user_context(self, query: UserQuery, deadline: Deadline) -> UserContext:
        """Return the user's columns, guards and history as of `query.now_ms`."""
        ...


class CandidateStage(Protocol):
    """Retrieval; raises BundleNotLoaded or a dependency fault."""

    async def retrieve(self, query: RetrievalQuery, deadline: Deadline) -> CandidateSet:
        """Return merged candidates with provenance."""
        ...


class ItemColumnStage(Protocol):
    """Hydration of candidates; raises BundleNotLoaded or a dependency fault."""

    async def item_columns(self, query: ItemQuery, deadline: Deadline) -> ItemColumns:
        """Return columns in the query's order."""
        ...


class ScoreStage(Protocol):
    """Ranking; raises BundleNotLoaded or a dependency fault."""

    async def score(self, query: ScoreQuery, deadline: Deadline) -> Scores:
        """Return a pre-rank score for every candidate and head scores for the best N."""
        ...


class SlateStage(Protocol):
    """Policy; raises BundleNotLoaded or a dependency fault."""

    async def decide(self, query: SlateQuery, deadline: Deadline) -> Slate:
        """Return the slate with mutations and propensities."""
        ...
