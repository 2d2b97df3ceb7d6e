from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState

from loopwright.telemetry import names, span
from loopwright.telemetry.sampling import RootSampler
from loopwright.telemetry.spans import SpanProvider, SpanTracer


class Ended(SpanProcessor):
    def __init__(self) -> None:
        self.started: list[str] = []
        self.spans: list[ReadableSpan] = []
        self.shut = False

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.started.append(span.name)

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)

    def shutdown(self) -> None:
        self.shut = True


def tracer(processor: SpanProcessor | None, ratio: float = 0) -> SpanTracer:
    return SpanProvider(Resource({"service.name": "x"}), RootSampler(ratio), processor).get_tracer("scope")


def below(flags: int) -> Context:
    parent = SpanContext(0xA, 0xB, True, TraceFlags(flags), TraceState([("vendor", "1")]))
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())


@pytest.fixture
def provided() -> Iterator[Any]:
    from loopwright.telemetry.tracing import use_provider

    yield use_provider
    use_provider(trace.NoOpTracerProvider())


def test_an_unsampled_span_is_recorded_whole() -> None:
    ended = Ended()
    link = Link(SpanContext(1, 2, True))
    begun = tracer(ended).start_span("call", Context(), SpanKind.CLIENT, {"a": 1}, [link])
    begun.set_attribute("b", "two")
    begun.set_attributes({"c": 3.0})
    begun.add_event("seen", {"d": True})
    begun.record_exception(KeyError("secret-4711"))
    begun.update_name("other")
    begun.set_status(StatusCode.ERROR, "told")
    assert begun.is_recording()
    begun.end()
    begun.end()
    (done,) = ended.spans
    assert ended.started == ["call"] and not begun.is_recording()
    assert (done.name, done.kind, done.parent) == ("other", SpanKind.CLIENT, None)
    assert dict(done.attributes or {}) == {"a": 1, "b": "two", "c": 3.0}
    assert [event.name for event in done.events] == ["seen", "exception"] and "4711" not in done.to_json()
    assert list(done.links) == [link]
    assert (done.status.status_code, done.status.description) == (StatusCode.ERROR, "told")
    assert done.start_time and done.end_time and done.start_time <= done.end_time
    assert done.resource.attributes["service.name"] == "x"
    assert not done.context.trace_flags.sampled and done.context.is_valid


def test_a_kept_span_can_be_exported() -> None:
    ended = Ended()
    tracer(ended, ratio=1).start_span("call", Context(), SpanKind.SERVER, {"a": 1}).end()
    (resource,) = encode_spans(ended.spans).resource_spans
    (scope,) = resource.scope_spans
    assert scope.scope.name == "scope" and [one.name for one in scope.spans] == ["call"]


@pytest.mark.parametrize("flags", [0, 1, 2, 3, 255])
def test_a_child_follows_its_parents_trace_flag_and_state(flags: int) -> None:
    ended = Ended()
    found = tracer(ended).start_span("call", below(flags)).get_span_context()
    assert (found.trace_id, found.is_remote) == (0xA, False) and found.span_id != 0xB
    assert found.trace_flags == flags & 3
    assert found.trace_state.get("vendor") == "1"


def test_ids_differ_and_a_root_says_that_its_id_is_random() -> None:
    maker = tracer(Ended())
    contexts = [maker.start_span("call", Context()).get_span_context() for _ in range(100)]
    assert len({found.trace_id for found in contexts}) == len({found.span_id for found in contexts}) == 100
    assert all(found.trace_flags == 2 for found in contexts)


def test_without_a_processor_spans_are_ids_and_pass_the_flag_on() -> None:
    maker = tracer(None)
    for flags in (0, 1):
        begun = maker.start_span("call", below(flags))
        assert not begun.is_recording() and begun.get_span_context().trace_flags == flags
        begun.end()


def test_shutting_down_shuts_the_processor() -> None:
    ended = Ended()
    SpanProvider(Resource({}), RootSampler(0), ended).shutdown()
    SpanProvider(Resource({}), RootSampler(0), None).shutdown()
    assert ended.shut


def test_spans_nest_through_the_registrys_own_way(provided: Any) -> None:
    ended = Ended()
    provided(SpanProvider(Resource({}), RootSampler(0), ended))
    with span(names.RECOMMEND) as outer, span(names.RANK):
        pass
    inner, _ = ended.spans
    assert inner.parent == outer.get_span_context()
