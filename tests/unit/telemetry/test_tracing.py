from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider, SpanKind

from loopwright.faults import NotFound
from loopwright.telemetry import extract, inject, inject_headers, link_to, names, span
from loopwright.telemetry.entries import SpanName
from loopwright.telemetry.sampling import RootSampler
from loopwright.telemetry.spans import SpanProvider
from loopwright.telemetry.tracing import open_server_span, use_provider


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    use_provider(provider)
    yield exporter
    use_provider(NoOpTracerProvider())
    provider.shutdown()


def test_a_span_or_attribute_outside_the_registry_is_refused(spans: InMemorySpanExporter) -> None:
    with pytest.raises(LookupError, match="made_up"), span(SpanName("made_up", "x")):
        pass
    with pytest.raises(LookupError, match=r"loopwright\.made_up"), span(names.RANK, {"loopwright.made_up": 1}):
        pass
    assert not spans.get_finished_spans()


def test_a_span_nests_and_carries_its_attributes(spans: InMemorySpanExporter) -> None:
    with span(names.RECOMMEND, {names.SURFACE.name: "home"}) as outer, span(names.SEND, fill="decisions"):
        pass
    inner_done, outer_done = spans.get_finished_spans()
    assert (inner_done.name, outer_done.name) == ("send decisions", "recommend")
    assert inner_done.parent is not None and inner_done.parent.span_id == outer.get_span_context().span_id
    assert outer_done.attributes == {"loopwright.surface": "home"}


@pytest.mark.parametrize(
    ("error", "named"), [(NotFound("secret-4711"), "NOT_FOUND"), (KeyError("secret-4711"), "KeyError")]
)
def test_an_exception_marks_the_span_by_reason_or_type_without_its_text(
    spans: InMemorySpanExporter, error: Exception, named: str
) -> None:
    with pytest.raises(type(error)), span(names.RANK):
        raise error
    (done,) = spans.get_finished_spans()
    assert done.attributes == {"error.type": named}
    assert not done.status.is_ok and not done.events
    assert "4711" not in done.to_json()


@pytest.mark.parametrize("way", [inject, inject_headers])
def test_context_survives_metadata_and_kafka_headers(spans: InMemorySpanExporter, way: Any) -> None:
    with span(names.SEND, fill="actions") as sender:
        carried = way()
    context = extract([("other", b"\xff"), *carried])
    with span(names.PROCESS, fill="actions", parent=context) as child:
        assert child.get_span_context().trace_id == sender.get_span_context().trace_id
    link = link_to(context)
    assert link is not None and link.context.span_id == sender.get_span_context().span_id


@pytest.mark.parametrize("pairs", [[], [("traceparent", "nonsense")], [("traceparent", b"\xff\xfe")]])
def test_a_missing_or_malformed_context_is_empty(pairs: list[tuple[str, str | bytes]]) -> None:
    assert link_to(extract(pairs)) is None


def test_extracting_ignores_the_current_span(spans: InMemorySpanExporter) -> None:
    with span(names.RECOMMEND):
        assert not trace.get_current_span(extract([])).get_span_context().is_valid


def test_without_a_provider_nothing_is_injected() -> None:
    with span(names.RANK):
        assert inject() == ()


CALLER = f"00-{0xA:032x}-{0xB:016x}-01"


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize(
    ("metadata", "continued"),
    [
        ([("user-agent", "x"), ("traceparent", CALLER)], True),
        ([("traceparent", CALLER), ("tracestate", "vendor=1")], True),
        ([("traceparent", "cc" + CALLER[2:] + "-later")], True),
        ([("traceparent", CALLER.upper().replace("A", "G"))], False),
        ([("traceparent", f"00-{0:032x}-{0xB:016x}-01")], False),
        ([("tracestate", "vendor=1")], False),
        ([], False),
    ],
)
def test_a_served_call_continues_its_callers_trace(ours: bool, metadata: Any, continued: bool) -> None:
    exporter = InMemorySpanExporter()
    if ours:
        use_provider(SpanProvider(Resource({}), RootSampler(1), SimpleSpanProcessor(exporter)))
    else:
        theirs = TracerProvider(shutdown_on_exit=False)
        theirs.add_span_processor(SimpleSpanProcessor(exporter))
        use_provider(theirs)
    with span(names.RECOMMEND):  # a call of another task that this one must not be taken for a part of
        open_server_span(names.RPC_SERVER, {names.RPC_METHOD.name: "a.B/C"}, "a.B/C", metadata).end()
    use_provider(NoOpTracerProvider())
    served = exporter.get_finished_spans()[0]
    assert (served.name, served.kind, served.attributes) == ("a.B/C", SpanKind.SERVER, {"rpc.method": "a.B/C"})
    if continued:
        assert served.parent is not None and (served.parent.trace_id, served.parent.span_id) == (0xA, 0xB)
        assert served.parent.is_remote and served.context.trace_id == 0xA
    else:
        assert served.parent is None


def test_a_served_calls_attributes_are_checked_like_any_others(spans: InMemorySpanExporter) -> None:
    use_provider(SpanProvider(Resource({}), RootSampler(1), None))
    with pytest.raises(LookupError, match=r"loopwright\.made_up"):
        open_server_span(names.RPC_SERVER, {"loopwright.made_up": 1}, "a.B/C", [])
