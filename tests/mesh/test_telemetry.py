"""Names of spans, attributes and metrics are a schema: what a request emits is in the registry, and the edges exist."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider, SpanContext, SpanKind
from prometheus_client import REGISTRY

from loopwright.eventlog import DECISIONS, Record, Tail
from loopwright.localmesh.composition import OneProcess
from loopwright.telemetry import METER, names
from loopwright.telemetry.tracing import use_provider
from tests.mesh.served import Served, served
from tests.mesh.world import ITEMS, catalogue, dice, message, soon

API = "loopwright.api."
FRONT = "recommend"
STAGES = {
    "hydrate_user": "hydration.v1.HydrationService/GetUserContext",
    "retrieve": "retrieval.v1.RetrievalService/Retrieve",
    "hydrate_items": "hydration.v1.HydrationService/GetItemColumns",
    "decide": "policy.v1.SlateService/DecideSlate",
    "record": "exposure.v1.LedgerService/RecordDecision",
}


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    found = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(found))
    use_provider(provider)
    yield found
    use_provider(NoOpTracerProvider())
    provider.shutdown()


@pytest.fixture
async def spans(mesh: OneProcess, exporter: InMemorySpanExporter) -> AsyncIterator[tuple[ReadableSpan, ...]]:
    """The spans of one served request, over gRPC."""
    async with served(mesh, dice()) as found:
        exporter.clear()
        await _ask(found)
    yield exporter.get_finished_spans()


async def _ask(found: Served) -> None:
    answer = await found.recommender.Recommend(message(), timeout=20)
    assert len(answer.items) == 10


def registered(name: str) -> bool:
    """Say whether some entry of the registry, its placeholder filled, reads so."""
    patterns = (re.sub(r"\\\{.*?\\\}", ".+", re.escape(entry.name)) for entry in names.SPANS if entry.name[0] != "{")
    return any(re.fullmatch(pattern, name) for pattern in patterns) or bool(re.fullmatch(r"[\w.]+/\w+", name))


def edges(spans: tuple[ReadableSpan, ...]) -> set[tuple[str, str]]:
    by_id = {span.context.span_id: span for span in spans}
    return {(by_id[s.parent.span_id].name, s.name) for s in spans if s.parent and s.parent.span_id in by_id}


def key(context: SpanContext | None) -> tuple[int, int]:
    assert context is not None
    return context.trace_id, context.span_id


async def test_only_registered_spans_and_attributes_are_emitted(spans: tuple[ReadableSpan, ...]) -> None:
    assert len(spans) > 15
    assert [span.name for span in spans if not registered(span.name)] == []
    used = {key for span in spans for key in span.attributes or {}}
    assert used <= set(names.ATTRIBUTES)
    texts = [str(value) for span in spans for value in (span.attributes or {}).values()]
    assert not [text for text in texts if "u1" in text.split() or "r1" in text.split()]


async def test_an_unregistered_name_would_be_found() -> None:
    assert registered("retrieve_source fresh") and registered("send decisions")
    assert not registered("retrieve_sauce fresh") and not registered("recommending")


async def test_the_front_door_reaches_every_stage_and_every_stage_its_service(spans: tuple[ReadableSpan, ...]) -> None:
    found = edges(spans)
    door = f"{API}recommender.v1.RecommenderService/Recommend"
    assert (door, FRONT) in found
    for stage, method in STAGES.items():
        assert (FRONT, stage) in found
        assert (stage, API + method) in found  # the client's span
        assert (API + method, API + method) in found  # the server's, below it: the context crossed the wire
    assert (f"{API}{STAGES['retrieve']}", "retrieve_source trending") in found
    assert (f"{API}{STAGES['record']}", "send decisions") in found
    assert len({span.context.trace_id for span in spans if span.name in {FRONT, *STAGES, "send decisions"}}) == 1


async def test_the_front_doors_span_says_which_decision_it_was_and_whether_it_was_degraded(
    spans: tuple[ReadableSpan, ...], mesh: OneProcess
) -> None:
    (front,) = [dict(span.attributes or {}) for span in spans if span.name == FRONT]
    (event,) = mesh.broker.records(DECISIONS)
    assert front["loopwright.decision_id"] == event.slate_decided.decision_id.hex()
    assert front["loopwright.policy_version"] == event.versions.policy_version
    assert front["loopwright.slate_length"] == 10
    assert front["loopwright.degraded"] is bool(event.slate_decided.degradations)


async def test_whoever_reads_the_record_is_linked_to_its_sending(
    spans: tuple[ReadableSpan, ...], mesh: OneProcess, exporter: InMemorySpanExporter
) -> None:
    (sent,) = [span for span in spans if span.name == "send decisions"]
    assert sent.kind is SpanKind.PRODUCER
    seen: list[Record] = []
    async with Tail(mesh.log("monitor"), [DECISIONS], seen.append):
        pass
    reads = [span for span in exporter.get_finished_spans() if span.name == "process decisions"]
    assert len(seen) == len(reads) == 1 and reads[0].kind is SpanKind.CONSUMER
    assert [key(link.context) for link in reads[0].links] == [key(sent.context)]


async def test_the_projector_is_linked_to_the_sending_of_what_it_folds(
    mesh: OneProcess, exporter: InMemorySpanExporter
) -> None:
    exporter.clear()
    await mesh.ingest.intake.items(catalogue(ITEMS + 3)[ITEMS:], soon())
    await mesh.settle()
    spans = exporter.get_finished_spans()
    (sent,) = [span for span in spans if span.name == "send catalog"]
    linked = {span.name for span in spans if key(sent.context) in {key(link.context) for link in span.links}}
    assert linked == {"process catalog"}
    assert ("process catalog", "send item_rows") in edges(spans)


async def test_in_one_process_the_stages_hang_on_the_front_door_too(
    mesh: OneProcess, exporter: InMemorySpanExporter
) -> None:
    from tests.mesh.world import request

    exporter.clear()
    await mesh.recommend(request(), soon())
    spans = exporter.get_finished_spans()
    found = edges(spans)
    assert {(FRONT, stage) for stage in STAGES} <= found
    assert {("retrieve", "retrieve_source fresh"), ("record", "send decisions")} <= found
    assert [span.name for span in spans if not registered(span.name)] == []


async def test_only_registered_metrics_are_emitted(mesh: OneProcess) -> None:
    before = {stage: METER.value(names.STAGE_DURATION, stage=stage) for stage in STAGES}
    async with served(mesh, dice()) as found:
        await _ask(found)
    assert {stage: METER.value(names.STAGE_DURATION, stage=stage) - n for stage, n in before.items()} == dict.fromkeys(
        STAGES, 1
    )
    known = {re.sub("_total$", "", entry.exposed_name) for entry in names.METRICS}
    assert {family.name for family in METER.registry.collect()} <= known
    assert not [family.name for family in REGISTRY.collect() if "loopwright" in family.name]
