from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from loopwright.api.exposure.v1 import ledger_service_pb2 as ledger_pb
from loopwright.api.exposure.v1.ledger_service_pb2_grpc import (
    LedgerServiceServicer,
    add_LedgerServiceServicer_to_server,
)
from loopwright.domain.enums import Purpose
from loopwright.faults import BreakerOpen, Fault, FeatureStoreDown, NotReady, RemoteFault
from loopwright.pipeline.convert.parsing import number
from loopwright.recommender.clients import Clients, connect
from loopwright.recommender.config import RecommenderSettings
from loopwright.rpc import BreakerSettings, Deadline, Mount, RpcSettings, serving

SUBJECT = b"s" * 16
QUICK = BreakerSettings(failures_in_a_row=2, failing_for_s=0, open_s=60)


@dataclass
class Ledger(LedgerServiceServicer):  # type: ignore[misc]
    """An exposure that fails as told."""

    fault: Fault | None = None
    calls: list[Any] = field(default_factory=list)

    async def RememberRecent(self, request: Any, context: Any) -> ledger_pb.RememberRecentResponse:
        self.calls.append(request)
        if self.fault is not None:
            raise self.fault
        return ledger_pb.RememberRecentResponse()


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


async def remember(clients: Clients) -> str:
    try:
        await clients.recent.remember(SUBJECT, [1], Purpose.SERVE, Deadline.after(5))
    except (RemoteFault, BreakerOpen) as fault:
        return fault.reason
    return "OK"


async def record(clients: Clients) -> str:
    """Calls exposure the way that records go: any method behind the ledger's breaker does."""
    request = ledger_pb.RememberRecentRequest(subject=SUBJECT, item_ids=[1], purpose=number(Purpose.SERVE))
    try:
        await clients.ledger._stub.RememberRecent(request, timeout=5)  # type: ignore[attr-defined]
    except (RemoteFault, BreakerOpen) as fault:
        return fault.reason
    return "OK"


async def test_the_memory_of_recent_items_never_opens_the_ledgers_breaker() -> None:
    ledger = Ledger(FeatureStoreDown())
    async with exposure(ledger) as clients:
        told = [await remember(clients) for _ in range(4)]
        assert told == ["FEATURE_STORE_DOWN", "FEATURE_STORE_DOWN", "BREAKER_OPEN", "BREAKER_OPEN"]
        assert len(ledger.calls) == 2  # best effort: no second attempts
        assert await record(clients) == "FEATURE_STORE_DOWN"


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
