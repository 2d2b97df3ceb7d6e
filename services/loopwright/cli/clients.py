"""The mesh as commands see it: calls of the front door and of the policy service, domain objects in and out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from loopwright.api.policy.v1 import policy_service_pb2 as policy_pb
from loopwright.api.policy.v1.policy_service_pb2_grpc import PolicyServiceStub
from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.api.recommender.v1.recommender_service_pb2_grpc import RecommenderServiceStub
from loopwright.domain.enums import Exploration, Purpose
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.convert.answer import answer_from_proto
from loopwright.pipeline.convert.decision import record_from_proto
from loopwright.pipeline.convert.degradations import versions_from_proto
from loopwright.pipeline.convert.parsing import milliseconds, number, timestamp
from loopwright.pipeline.record import DecisionRecord
from loopwright.rpc import ChannelSettings, open_channel

ANSWER_BYTES = 64 << 20
"""Largest answer a command takes: an explained decision carries its whole funnel."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A list to judge: nothing is explored, nothing counts as exposure. `decide_at_ms` is mesh time, None: now."""

    user_id: str
    k: int
    surface: str
    decide_at_ms: int | None = None
    record_funnel: bool = False


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision's record; `item_ids` are the external ids of its candidates, else of its slate, in their order."""

    record: DecisionRecord
    item_ids: tuple[str, ...]


class FrontDoorClient:
    """RecommenderService."""

    def __init__(self, channel: Any) -> None:
        """Take an open channel."""
        self._stub = RecommenderServiceStub(channel)

    async def evaluate(self, ask: Ask, request_id: str, timeout_s: float) -> Answer:
        """Return the list of a user, decided with purpose EVALUATE.

        Raises:
            RemoteFault: The front door refused, or did not answer in time.
        """
        request = pb.RecommendRequest(
            request_id=request_id,
            user_id=ask.user_id,
            surface=ask.surface,
            k=ask.k,
            purpose=number(Purpose.EVALUATE),
            exploration=number(Exploration.OFF),
            decide_at=None if ask.decide_at_ms is None else timestamp(ask.decide_at_ms),
            record_funnel=ask.record_funnel,
        )
        return answer_from_proto(await self._stub.Recommend(request, timeout=timeout_s))

    async def explain(self, decision_id: str, timeout_s: float) -> Explained:
        """Return a decision as the log holds it.

        Raises:
            RemoteFault: DECISION_NOT_FOUND, or the log is away.
            CorruptRecord: The record is of another build, or damaged.
        """
        answer = await self._stub.Explain(pb.ExplainRequest(decision_id=decision_id), timeout=timeout_s)
        record = record_from_proto(
            answer.decision,
            answer.funnel if answer.HasField("funnel") else None,
            surface=answer.surface,
            occurred_at_ms=milliseconds(answer.occurred_at, "occurred_at"),
            versions=versions_from_proto(answer.versions),
        )
        return Explained(record, tuple(answer.item_ids))


@dataclass(frozen=True, slots=True)
class Bundle:
    """A published bundle: its canonical JSON, whether it is active, and replica -> why it is not ready ("": it is)."""

    version: str
    surface: str
    active: bool
    published_at_ms: int
    document: str
    replicas: dict[str, str]


class PolicyClient:
    """PolicyService, as an operator calls it."""

    def __init__(self, channel: Any, actor: str) -> None:
        """Take an open channel and the name that goes on record."""
        self._stub = PolicyServiceStub(channel)
        self._actor = actor

    async def bundles(self, surface: str, timeout_s: float) -> list[Bundle]:
        """Return the published bundles of a surface, newest first."""
        answer = await self._stub.ListBundles(
            policy_pb.ListBundlesRequest(surface=surface, limit=1000), timeout=timeout_s
        )
        return [
            Bundle(
                version=b.policy_version,
                surface=b.surface,
                active=b.active,
                published_at_ms=milliseconds(b.published_at, "published_at"),
                document=b.canonical_json,
                replicas={r.replica: "" if r.ready else r.reason for r in b.replicas},
            )
            for b in answer.bundles
        ]

    async def publish(self, document: str, reason: str, timeout_s: float) -> str:
        """Make a bundle known and return its version; a known one stays as it is.

        Raises:
            RemoteFault: BUNDLE_INVALID with every broken rule.
        """
        request = policy_pb.PublishBundleRequest(document=document, actor=self._actor, reason=reason)
        return str((await self._stub.PublishBundle(request, timeout=timeout_s)).policy_version)

    async def activate(self, surface: str, version: str, previous: str, reason: str, timeout_s: float) -> list[str]:
        """Make a published bundle active and return the replicas that had it loaded.

        Raises:
            RemoteFault: REPLICA_NOT_READY, EXPECTED_PREVIOUS_MISMATCH, UNKNOWN_BUNDLE or UNKNOWN_SURFACE.
        """
        request = policy_pb.ActivateBundleRequest(
            surface=surface, policy_version=version, expected_previous=previous, actor=self._actor, reason=reason
        )
        return list((await self._stub.ActivateBundle(request, timeout=timeout_s)).ready_replicas)

    async def roll_back(self, surface: str, reason: str, timeout_s: float) -> str:
        """Make the bundle active that was active before, and return its version.

        Raises:
            RemoteFault: NOTHING_TO_ROLL_BACK or UNKNOWN_SURFACE.
        """
        request = policy_pb.RollbackBundleRequest(surface=surface, actor=self._actor, reason=reason)
        return str((await self._stub.RollbackBundle(request, timeout=timeout_s)).policy_version)


@asynccontextmanager
async def front_door(target: str) -> AsyncIterator[FrontDoorClient]:
    """Open the front door at `host:port`."""
    async with open_channel(target, ChannelSettings(max_message_bytes=ANSWER_BYTES)) as channel:
        yield FrontDoorClient(channel)


@asynccontextmanager
async def policy_service(target: str, actor: str) -> AsyncIterator[PolicyClient]:
    """Open the policy service at `host:port`; `actor` goes on record with every change."""
    async with open_channel(target, ChannelSettings(max_message_bytes=ANSWER_BYTES)) as channel:
        yield PolicyClient(channel, actor)
