from __future__ import annotations

from typing import Any

import pytest

from loopwright.api.exposure.v1 import exposure_service_pb2 as exposure_pb
from loopwright.api.recommender.v1 import recommender_service_pb2 as recommender_pb
from loopwright.domain.enums import ActionKind
from loopwright.rpc.validation import violations
from loopwright.simulator.clients import Act, MeshClient
from loopwright.simulator.world import Visit


class RecordingChannel:
    """A channel whose calls keep the request, hold it to its rules, and answer with an empty message."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def unary_unary(self, method: str, request_serializer: Any, response_deserializer: Any, **_: Any) -> Any:
        async def call(request: Any, timeout: float) -> Any:
            assert timeout > 0
            assert violations(request) == ()
            self.sent.append(request)
            return response_deserializer(b"")

        return call


@pytest.fixture
def channel() -> RecordingChannel:
    return RecordingChannel()


async def test_a_visit_is_a_valid_serve_request(channel: RecordingChannel) -> None:
    await MeshClient(channel, channel, "home", 1.0).serve(Visit(3, "ann", "sim.1.3", "session-0"), 20)
    (request,) = channel.sent
    assert isinstance(request, recommender_pb.RecommendRequest)
    assert (request.user_id, request.k, request.purpose, request.request_id) == ("ann", 20, 1, "sim.1.3")


async def test_views_are_reported_as_seen_and_actions_with_their_tokens(channel: RecordingChannel) -> None:
    client = MeshClient(channel, channel, "home", 1.0)
    await client.viewed("view.3", ["a", "b"])
    await client.acted([Act("a", "act.3.0.click", ActionKind.CLICK), Act("a", "act.3.0.like", ActionKind.LIKE)])
    views, acts = channel.sent
    assert isinstance(views, exposure_pb.ReportImpressionsRequest)
    assert [(v.exposure_token, v.seen) for v in views.impressions] == [("a", True), ("b", True)]
    assert [(a.exposure_token, a.client_event_id, a.kind) for a in acts.actions] == [
        ("a", "act.3.0.click", 1),
        ("a", "act.3.0.like", 4),
    ]
