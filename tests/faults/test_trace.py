"""One request seen whole: every service a process, their spans at a real OTLP endpoint; then endpoints of no use."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loopwright.api.exposure.v1 import exposure_service_pb2 as exposure_pb
from loopwright.api.exposure.v1.exposure_service_pb2_grpc import ExposureServiceStub
from loopwright.api.recommender.v1.recommender_service_pb2_grpc import RecommenderServiceStub
from loopwright.bundle import default_bundle
from loopwright.cli.clients import policy_service
from loopwright.cli.importing.clients import IngestClient
from loopwright.cli.importing.convert import items_request
from loopwright.cli.importing.rows import ItemRow
from loopwright.cli.promoting import promote_models
from loopwright.domain.ids import item_id
from loopwright.eventlog import wall_now_ms
from loopwright.featurespec.groups import width
from loopwright.localmesh.control import LocalMesh
from loopwright.localmesh.mesh import running_mesh
from loopwright.localmesh.topology import SERVICES
from loopwright.modelstore import Kind, ModelStore
from loopwright.pipeline.convert.parsing import timestamp
from loopwright.rpc import open_channel
from tests.mesh.world import message
from tests.otlp_receiver import Received, receiving
from tests.tiny_models import put_scorer, put_two_tower

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(240)]

ITEMS, USERS, K = 60, 12, 8
DAY_S = 86_400
API = "loopwright.api."
RECOMMEND = f"{API}recommender.v1.RecommenderService/Recommend"
REPORT = f"{API}exposure.v1.ExposureService/ReportImpressions"
STAGES = {
    "hydrate_user": ("hydration", f"{API}hydration.v1.HydrationService/GetUserContext"),
    "retrieve": ("retrieval", f"{API}retrieval.v1.RetrievalService/Retrieve"),
    "hydrate_items": ("hydration", f"{API}hydration.v1.HydrationService/GetItemColumns"),
    "rank": ("ranking", f"{API}ranking.v1.RankingService/Score"),
    "decide": ("policy", f"{API}policy.v1.SlateService/DecideSlate"),
    "record": ("exposure", f"{API}exposure.v1.LedgerService/RecordDecision"),
}
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
"""Span kinds by their numbers in OTLP."""


@dataclass(frozen=True)
class Stubs:
    """The public API as the upstream gateway has it."""

    recommender: Any
    exposure: Any

    async def judged(self, user: str, at_ms: int | None = None) -> tuple[list[str], list[Any]]:
        """Return the list of a user as of a moment that nothing random touches, and its degradations."""
        decide_at = timestamp(at_ms or wall_now_ms())
        request = message(user, request_id=secrets.token_hex(8), k=K, purpose=2, exploration=2, decide_at=decide_at)
        answer = await self.recommender.Recommend(request, timeout=5)
        return [item.item_id for item in answer.items], list(answer.degradations)


async def until(holds: Callable[[], Awaitable[bool]] | Callable[[], bool], limit_s: float = 30.0) -> None:
    async with asyncio.timeout(limit_s):
        while True:
            held = holds()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.05)


def item_row(n: int, published_s: float) -> ItemRow:
    return ItemRow(n + 1, f"i{n}", f"Item {n}", (f"tag{n % 4}",), f"creator{n % 7}", published_s, "", "")


async def populate(mesh: LocalMesh) -> None:
    """Bring a catalogue in and activate tiny models, so that every stage has something to do."""
    addresses = mesh.addresses()
    now_ms = wall_now_ms()
    rows = [(item_row(n, now_ms / 1000 - n * DAY_S), None) for n in range(ITEMS)]
    async with open_channel(addresses["ingest"]) as channel:

        async def batches() -> AsyncIterator[Any]:
            yield items_request(1, rows)

        async for answer in IngestClient(channel).items(batches(), timeout=30):
            assert not answer.rejections
    store = ModelStore(mesh.layout.model_store)
    features = default_bundle().features
    user, item = tuple(features.user), tuple(features.item)
    ids = np.sort(np.array([item_id(f"i{n}") for n in range(ITEMS)], np.uint64))
    models = {
        kind.value: put_scorer(store, kind, width(user), width(item), (*user, *item)).model_version
        for kind in (Kind.PRE_RANKER, Kind.RANKER)
    }
    models["two_tower"] = put_two_tower(store, ids).model_version
    async with policy_service(addresses["policy"], "test") as policies:
        await promote_models(policies, "home", models, reason="test")


@asynccontextmanager
async def traced_mesh(folder: Path, endpoint: str) -> AsyncIterator[tuple[LocalMesh, Stubs]]:
    """Run a mesh whose services send every trace to `endpoint`, soon after it ended."""
    settings = {"OTLP_ENDPOINT": endpoint, "SAMPLE_RATIO": "1", "SCHEDULE_DELAY_MS": "50"}
    env = {
        service.name: {
            f"LOOPWRIGHT_{service.name.upper()}_TELEMETRY__{name}": value for name, value in settings.items()
        }
        for service in SERVICES
    }
    async with AsyncExitStack() as stack:
        mesh = await stack.enter_async_context(running_mesh(folder, env=env))
        await populate(mesh)
        addresses = mesh.addresses()
        channels = [await stack.enter_async_context(open_channel(addresses[n])) for n in ("recommender", "exposure")]
        stubs = Stubs(RecommenderServiceStub(channels[0]), ExposureServiceStub(channels[1]))

        async def undegraded() -> bool:
            items, notes = await stubs.judged("nobody")
            return len(items) == K and not notes

        await until(undegraded, 60)
        yield mesh, stubs


@contextmanager
def hanging_at(endpoint: str) -> Iterator[None]:
    """Take connections where a receiver was, and never say a word."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", int(endpoint.rpartition(":")[2])))
        listening.listen(64)
        yield


async def report(stubs: Stubs, slate: Any, metadata: Any) -> None:
    """Report the slate as seen, in the trace of the request that brought it, as a client does that traces its page."""
    seen = exposure_pb.ReportImpressionsRequest(
        client_event_id="e1",
        impressions=[exposure_pb.Impression(exposure_token=item.exposure_token, seen=True) for item in slate.items],
    )
    await stubs.exposure.ReportImpressions(seen, timeout=5, metadata=metadata)


def linked(spans: list[Received], trace_id: str) -> set[tuple[str, str]]:
    """Return (service, name) of the consumers' spans that link into a trace."""
    return {(s.service, s.name) for s in spans if s.kind == CONSUMER and trace_id in {one for one, _ in s.links}}


def assert_whole(spans: list[Received], trace_id: str, slate: Any) -> None:
    """Hold that one trace reaches from the call through every stage to the log, and the readers link to its end."""
    mine = [span for span in spans if span.trace_id == trace_id]
    by_id = {span.span_id: span for span in mine}

    def one(service: str, name: str, kind: int | None = None) -> Received:
        (found,) = [s for s in mine if (s.service, s.name) == (service, name) and kind in (None, s.kind)]
        return found

    def above(span: Received) -> Received:
        return by_id[span.parent_id]

    door = one("recommender", RECOMMEND, SERVER)
    front = one("recommender", "recommend")
    assert above(front) == door
    for stage, (service, method) in STAGES.items():
        server = one(service, method, SERVER)
        client = above(server)
        assert (client.service, client.name, client.kind) == ("recommender", method, CLIENT)
        assert (above(client).name, above(above(client))) == (stage, front)
        assert client.attributes["server.address"] == "127.0.0.1" and client.attributes["server.port"] > 0
        assert server.attributes["rpc.response.status_code"] == client.attributes["rpc.response.status_code"] == "OK"
    assert front.attributes["loopwright.decision_id"] == slate.decision_id
    assert front.attributes["loopwright.degraded"] is False
    assert not [span for span in mine if span.failed]

    sent = one("exposure", "send decisions", PRODUCER)
    assert above(sent).name == STAGES["record"][1]
    reported = one("exposure", "send impressions", PRODUCER)
    assert above(reported) == one("exposure", REPORT, SERVER)
    for service, name, produced in (
        ("monitor", "process decisions", sent),
        ("projector", "process impressions", reported),
    ):
        (reader,) = [
            span
            for span in spans
            if (span.service, span.name) == (service, name) and (trace_id, produced.span_id) in span.links
        ]
        assert reader.kind == CONSUMER and reader.trace_id != trace_id
    assert {span.instance for span in mine} >= {"recommender-0", "exposure-0"}
    texts = [str(value) for span in spans for value in span.attributes.values()]
    assert not [text for text in texts if text in ("u1", "r1", "s")]


async def answers(stubs: Stubs, at_ms: int) -> dict[str, Any]:
    return {f"u{n}": await stubs.judged(f"u{n}", at_ms) for n in range(USERS)}


async def settled(stubs: Stubs, at_ms: int) -> dict[str, Any]:
    """Return the answers once what was reported is folded everywhere: whole, and the same again a second later."""
    found: dict[str, Any] = {}

    async def again() -> bool:
        nonlocal found
        before, found = found, await answers(stubs, at_ms)
        whole = all(len(items) == K and not notes for items, notes in found.values())
        await asyncio.sleep(0 if before == found else 1)
        return whole and before == found

    await until(again, 60)
    return found


async def test_one_request_is_seen_whole_and_a_useless_endpoint_changes_no_answer(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        with receiving() as receiver:
            mesh, stubs = await stack.enter_async_context(traced_mesh(tmp_path / "mesh", receiver.endpoint))
            trace_id = secrets.token_hex(16)
            metadata = (("traceparent", f"00-{trace_id}-{secrets.token_hex(8)}-01"),)
            slate = await stubs.recommender.Recommend(message("u1", k=K), timeout=5, metadata=metadata)
            assert len(slate.items) == K and not slate.degradations
            await report(stubs, slate, metadata)
            readers = {("monitor", "process decisions"), ("projector", "process impressions")}
            await until(lambda: linked(receiver.spans, trace_id) >= readers)
            await until(lambda: RECOMMEND in {s.name for s in receiver.spans if s.trace_id == trace_id})
            assert_whole(receiver.spans, trace_id, slate)
            at_ms = wall_now_ms()
            served = await settled(stubs, at_ms)
        assert await answers(stubs, at_ms) == served  # nobody listens at the endpoint any more
        with hanging_at(receiver.endpoint):
            assert await answers(stubs, at_ms) == served
            for name in ("recommender", "exposure"):
                ended = await mesh.restart(name)
                assert ended.by_itself and ended.exit_code == 0, ended
                assert ended.stop_s < 5, ended  # it is killed after 8
            assert await settled(stubs, at_ms) == served
