from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.pipeline.test_runner import pipeline, plan

from loopwright.api.exposure.v1 import ledger_service_pb2 as ledger_pb
from loopwright.api.exposure.v1.ledger_service_pb2_grpc import (
    LedgerServiceServicer,
    add_LedgerServiceServicer_to_server,
)
from loopwright.domain.ids import make_decision_id
from loopwright.faults import BreakerOpen, Fault, NotReady, RemoteFault
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.assemble import Identity, assemble
from loopwright.pipeline.fakes import FakeWorld
from loopwright.pipeline.record import DecisionRecord
from loopwright.recommender.clients import Clients, connect
from loopwright.recommender.config import RecommenderSettings
from loopwright.rpc import BreakerSettings, Deadline, Mount, RpcSettings, serving

QUICK = BreakerSettings(failures_in_a_row=2, failing_for_s=0, open_s=60)


@dataclass
class Ledger(LedgerServiceServicer):  # type: ignore[misc]
    """An exposure that fails as told."""

    fault: Fault | None = None
    calls: list[Any] = field(default_factory=list)

    async def RecordDecision(self, request: Any, context: Any) -> ledger_pb.RecordDecisionResponse:
        self.calls.append(request)
        if self.fault is not None:
            raise self.fault
        return ledger_pb.RecordDecisionResponse(answer=request.answer)


@asynccontextmanager
async def exposure(*ledgers: Ledger, breakers: BreakerSettings = QUICK) -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        targets = []
        for ledger in ledgers:
            mounts = [Mount(add_LedgerServiceServicer_to_server, ledger)]
            state = await stack.enter_async_context(serving(mounts, RpcSettings(grace_s=0.2)))
            targets.append(state.target)
        target = f"ipv4:{','.join(targets)}"
        settings = RecommenderSettings(replica="r", exposure_target=target, breakers=breakers)
        yield await stack.enter_async_context(connect(settings))


async def decided() -> tuple[DecisionRecord, Answer]:
    """What a whole run over a made world leaves to record."""
    line, asked, soon = pipeline(FakeWorld()), plan(k=5), Deadline.after(5)
    run = await line.execute(asked, await line.user(asked, soon, {}), soon, {})
    return assemble(run, Identity(make_decision_id(1_000_000, asked.request.subject, b"e" * 9), 5))


async def record(clients: Clients) -> str:
    made, answer = await decided()
    try:
        assert await clients.ledger.record(made, answer, Deadline.after(5)) == answer
    except (RemoteFault, BreakerOpen) as fault:
        return fault.reason
    return "OK"


async def test_what_a_loading_replica_refuses_another_one_answers() -> None:
    loading, ready = Ledger(NotReady()), Ledger()
    async with exposure(loading, ready, breakers=BreakerSettings()) as clients:
        for _ in range(200):
            if loading.calls and ready.calls:
                break
            await record(clients)  # until both are connected, both attempts may meet the one that loads
        assert [await record(clients) for _ in range(6)] == ["OK"] * 6
    assert len(loading.calls) > 1


async def test_leaves_that_are_away_are_told_as_unavailable_at_once_and_then_by_the_breaker() -> None:
    settings = RecommenderSettings(replica="r", exposure_target="127.0.0.1:1", breakers=QUICK)
    async with connect(settings) as clients:
        assert [await record(clients) for _ in range(3)] == ["UNAVAILABLE", "BREAKER_OPEN", "BREAKER_OPEN"]


@pytest.mark.parametrize("name", ["hydration", "retrieval", "ranking", "policy", "ledger"])
async def test_every_leaf_has_a_breaker_of_its_own(name: str) -> None:
    async with connect(RecommenderSettings(replica="r")) as clients:
        guards = {
            leaf: getattr(clients, leaf)._stub for leaf in ("hydration", "retrieval", "ranking", "policy", "ledger")
        }
        own = [method._guard for method in vars(guards[name]).values() if hasattr(method, "_guard")]
        others = {
            id(method._guard)
            for leaf, stub in guards.items()
            if leaf != name
            for method in vars(stub).values()
            if hasattr(method, "_guard")
        }
        assert own and len(set(map(id, own))) == 1
        assert not set(map(id, own)) & others
