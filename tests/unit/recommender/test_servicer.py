"""The public door over real gRPC: each bad input has its status and reason."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from tests.unit.recommender.test_front_door import door

from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.api.recommender.v1.recommender_service_pb2_grpc import (
    RecommenderServiceStub,
    add_RecommenderServiceServicer_to_server,
)
from loopwright.domain.enums import Purpose
from loopwright.eventlog import MemoryEventLog
from loopwright.faults import RemoteFault
from loopwright.lifecycle import FixedClock
from loopwright.pipeline.fakes import FakeWorld
from loopwright.recommender.explain import DecisionReader
from loopwright.recommender.names import ItemNames
from loopwright.recommender.servicer import RecommenderServicer
from loopwright.rpc import ChannelSettings, Mount, RpcSettings, open_channel, serving

METHOD = "/loopwright.api.recommender.v1.RecommenderService/Recommend"


@pytest.fixture
async def target() -> AsyncIterator[str]:
    world = FakeWorld()
    servicer = RecommenderServicer(
        door(world), DecisionReader(MemoryEventLog(producer="recommender"), 60.0), ItemNames(world, FixedClock(1)), b"k"
    )
    async with serving([Mount(add_RecommenderServiceServicer_to_server, servicer)], RpcSettings()) as server:
        yield server.target


def good(**changes: Any) -> pb.RecommendRequest:
    fields: dict[str, Any] = {"request_id": "r1", "user_id": "196", "surface": "home", "k": 5, "purpose": Purpose.SERVE}
    return pb.RecommendRequest(**(fields | changes))


async def refused(target: str, request: pb.RecommendRequest) -> RemoteFault:
    async with open_channel(target, ChannelSettings()) as channel:
        with pytest.raises(RemoteFault) as caught:
            await RecommenderServiceStub(channel).Recommend(request, timeout=5)
        return caught.value


async def test_a_good_request_is_answered(target: str) -> None:
    async with open_channel(target, ChannelSettings()) as channel:
        answer = await RecommenderServiceStub(channel).Recommend(good(), timeout=5)
    assert len(answer.items) == 5
    assert [item.position for item in answer.items] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"user_id": ""}, "user_id"),
        ({"k": 0}, "k"),
        ({"k": 1_000_000}, "k"),
        ({"surface": "No Such!"}, "surface"),
        ({"request_id": ""}, "request_id"),
        ({"purpose": 0}, "purpose"),
        ({"query_text": "x" * 513}, "query_text"),
        ({"exclude_item_ids": ["x"] * 1001}, "exclude_item_ids"),
    ],
)
async def test_a_broken_field_is_named(target: str, changes: dict[str, Any], field: str) -> None:
    fault = await refused(target, good(**changes))
    assert fault.kind.name == "INVALID_ARGUMENT"
    assert fault.reason == "INVALID_REQUEST"
    assert [violation.field for violation in fault.violations] == [field]


async def test_nobody_is_no_user(target: str) -> None:
    request = good()
    request.ClearField("user_id")
    fault = await refused(target, request)
    assert (fault.kind.name, [v.field for v in fault.violations]) == ("INVALID_ARGUMENT", ["identity"])


async def test_serving_happens_now(target: str) -> None:
    request = good()
    request.decide_at.FromSeconds(5)
    fault = await refused(target, request)
    assert (fault.kind.name, fault.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert "serve_now" in [v.rule for v in fault.violations]


async def test_an_unknown_surface_is_refused(target: str) -> None:
    fault = await refused(target, good(surface="jobs"))
    assert (fault.kind.name, fault.reason) == ("INVALID_ARGUMENT", "UNKNOWN_SURFACE")


async def test_an_unknown_decision_is_not_found(target: str) -> None:
    async with open_channel(target, ChannelSettings()) as channel:
        with pytest.raises(RemoteFault) as caught:
            await RecommenderServiceStub(channel).Explain(pb.ExplainRequest(decision_id="0" * 32), timeout=5)
    assert (caught.value.kind.name, caught.value.reason) == ("NOT_FOUND", "DECISION_NOT_FOUND")


async def raw(target: str, body: bytes, **options: Any) -> grpc.aio.AioRpcError:
    async with grpc.aio.insecure_channel(target) as channel:
        call = channel.unary_unary(METHOD)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(body, **options)
        return caught.value


async def test_a_malformed_message_is_refused(target: str) -> None:
    assert (await raw(target, b"\xff\xff\xff", timeout=5)).code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_call_without_a_deadline_is_refused(target: str) -> None:
    error = await raw(target, good().SerializeToString())
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "deadline" in (error.details() or "").lower()


async def test_an_oversized_message_is_refused(target: str) -> None:
    body = good(query_text="x" * 5_000_000).SerializeToString()
    assert (await raw(target, body, timeout=5)).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
