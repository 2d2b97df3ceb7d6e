"""The leaves as the front door sees them: each client implements a stage Protocol over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from loopwright.api.exposure.v1 import ledger_service_pb2 as ledger_pb
from loopwright.api.exposure.v1.ledger_service_pb2_grpc import LedgerServiceStub
from loopwright.api.hydration.v1.hydration_service_pb2_grpc import HydrationServiceStub
from loopwright.api.policy.v1.slate_service_pb2_grpc import SlateServiceStub
from loopwright.api.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from loopwright.api.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.convert.answer import answer_from_proto, answer_to_proto
from loopwright.pipeline.convert.candidates import candidate_set_from_proto, retrieval_query_to_proto
from loopwright.pipeline.convert.decision import record_to_proto
from loopwright.pipeline.convert.items import item_columns_from_proto, item_query_to_proto
from loopwright.pipeline.convert.parsing import answer_of, timestamp
from loopwright.pipeline.convert.scores import score_query_to_proto, scores_from_proto
from loopwright.pipeline.convert.slate import slate_from_proto, slate_query_to_proto
from loopwright.pipeline.convert.user import user_context_from_proto, user_query_to_proto
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.runner import Ledger
from loopwright.pipeline.stages import CandidateStage, ItemColumnStage, ScoreStage, SlateStage, UserContextStage
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
from loopwright.recommender.config import RecommenderSettings
from loopwright.rpc import Deadline, Guard, MeshChannel, open_channel


class HydrationClient:
    """User context and item columns from the hydration service."""

    def __init__(self, channel: Any) -> None:
        """Take an open channel."""
        self._stub = HydrationServiceStub(channel)

    async def user_context(self, query: UserQuery, deadline: Deadline) -> UserContext:
        """Return the user's columns, guards and history."""
        response = await self._stub.GetUserContext(user_query_to_proto(query), timeout=deadline.remaining())
        return user_context_from_proto(response)

    async def item_columns(self, query: ItemQuery, deadline: Deadline) -> ItemColumns:
        """Return the candidates' columns, in their order."""
        response = await self._stub.GetItemColumns(item_query_to_proto(query), timeout=deadline.remaining())
        return item_columns_from_proto(response)


class RetrievalClient:
    """Candidates from the retrieval service."""

    def __init__(self, channel: Any) -> None:
        """Take an open channel."""
        self._stub = RetrievalServiceStub(channel)

    async def retrieve(self, query: RetrievalQuery, deadline: Deadline) -> CandidateSet:
        """Return merged candidates with provenance."""
        response = await self._stub.Retrieve(retrieval_query_to_proto(query), timeout=deadline.remaining())
        return candidate_set_from_proto(response)


class RankingClient:
    """Scores from the ranking service."""

    def __init__(self, channel: Any) -> None:
        """Take an open channel."""
        self._stub = RankingServiceStub(channel)

    async def score(self, query: ScoreQuery, deadline: Deadline) -> Scores:
        """Return pre-rank and head scores."""
        response = await self._stub.Score(score_query_to_proto(query), timeout=deadline.remaining())
        return scores_from_proto(response)


class PolicyClient:
    """Slates from the policy service."""

    def __init__(self, channel: Any) -> None:
        """Take an open channel."""
        self._stub = SlateServiceStub(channel)

    async def decide(self, query: SlateQuery, deadline: Deadline) -> Slate:
        """Return the slate with mutations and propensities."""
        response = await self._stub.DecideSlate(slate_query_to_proto(query), timeout=deadline.remaining())
        return slate_from_proto(response)


class LedgerClient:
    """The awaited ledger of the exposure service."""

    def __init__(self, channel: Any) -> None:
        """Take an open channel."""
        self._stub = LedgerServiceStub(channel)

    async def record(self, record: DecisionRecord, answer: Answer, deadline: Deadline) -> Answer:
        """Have the decision appended and return the answer to give."""
        decided, funnel = record_to_proto(record)
        request = ledger_pb.RecordDecisionRequest(
            decision=decided,
            funnel=funnel,
            answer=answer_to_proto(answer),
            surface=record.surface,
            occurred_at=timestamp(record.occurred_at_ms),
        )
        response = await self._stub.RecordDecision(request, timeout=deadline.remaining())
        with answer_of("exposure"):
            return answer_from_proto(response.answer)


class HydrationStages(UserContextStage, ItemColumnStage, Protocol):
    """Both stages of hydration."""


@dataclass(frozen=True, slots=True)
class Clients:
    """All leaves of the front door: over gRPC, or in one process the domain objects themselves."""

    hydration: HydrationStages
    retrieval: CandidateStage
    ranking: ScoreStage
    policy: SlateStage
    ledger: Ledger


@asynccontextmanager
async def connect(settings: RecommenderSettings) -> AsyncIterator[Clients]:
    """Open one channel a leaf, a breaker and a retry budget around each, and close them all on leaving."""
    breakers, retries = settings.breakers, settings.retries
    async with AsyncExitStack() as stack:

        async def leaf(name: str, target: str) -> MeshChannel:
            channel = await stack.enter_async_context(open_channel(target, settings.channels))
            return channel.guarded(Guard(name, breakers, retries))

        yield Clients(
            hydration=HydrationClient(await leaf("hydration", settings.hydration_target)),
            retrieval=RetrievalClient(await leaf("retrieval", settings.retrieval_target)),
            ranking=RankingClient(await leaf("ranking", settings.ranking_target)),
            policy=PolicyClient(await leaf("policy", settings.policy_target)),
            ledger=LedgerClient(await leaf("exposure", settings.exposure_target)),
        )
