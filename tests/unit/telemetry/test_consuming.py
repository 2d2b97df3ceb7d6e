from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider, SpanKind

from loopwright.telemetry import inject, processing
from loopwright.telemetry.consuming import MAX_LINKS
from loopwright.telemetry.sampling import RootSampler
from loopwright.telemetry.spans import SpanProvider
from loopwright.telemetry.tracing import use_provider


class Sent(NamedTuple):
    topic: str
    traceparent: str = ""


class Spans:
    """What processing left: spans by name. Unsampled ones are not exported, as in a process."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def __call__(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._exporter.get_finished_spans()}


@pytest.fixture
def spans() -> Iterator[Spans]:
    exporter = InMemorySpanExporter()
    use_provider(SpanProvider(Resource({}), RootSampler(0), SimpleSpanProcessor(exporter)))
    yield Spans(exporter)
    use_provider(NoOpTracerProvider())


def sender(number: int, flags: int = 1) -> str:
    return f"00-{number:032x}-{number:016x}-{flags:02x}"


def test_a_batch_links_to_each_sampled_sender_once(spans: Spans) -> None:
    records = [Sent("actions", sender(n, flags)) for n, flags in ((1, 1), (2, 0), (3, 3), (1, 1), (4, 2))]
    with processing([*records, Sent("actions")]):
        pass
    found = spans()["process actions"]
    assert [link.context.trace_id for link in found.links] == [1, 3]
    assert found.kind is SpanKind.CONSUMER and found.parent is None
    assert dict(found.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "actions",
        "messaging.batch.message_count": 6,
    }


def test_links_above_the_most_are_counted(spans: Spans) -> None:
    with processing([Sent("actions", sender(n + 1)) for n in range(MAX_LINKS + 7)]):
        pass
    found = spans()["process actions"]
    assert len(found.links) == MAX_LINKS
    assert (found.attributes or {})["loopwright.links_left_out"] == 7


def test_a_batch_of_several_topics_has_a_root_for_each_and_a_sampled_one_is_current(spans: Spans) -> None:
    records = [Sent("catalog"), Sent("actions", sender(1)), Sent("impressions", sender(2)), Sent("profiles")]
    with processing(records):
        carried = dict(inject())["traceparent"]
    found = spans()
    assert set(found) == {"process actions", "process impressions"}
    assert len({span.context.trace_id for span in found.values()}) == 2
    assert carried.split("-")[1] == trace.format_trace_id(found["process actions"].context.trace_id)


def test_without_sampled_senders_nothing_is_sampled_but_log_lines_have_a_trace(spans: Spans) -> None:
    with processing([Sent("actions", sender(1, 0)), Sent("actions")]):
        assert trace.get_current_span().get_span_context().is_valid
    assert spans() == {}


@pytest.mark.parametrize("header", ["nonsense", sender(0), f"00-{'z' * 32}-{'1' * 16}-01", "0" * 55, "-" * 54 + "1"])
def test_a_malformed_header_is_no_link(spans: Spans, header: str) -> None:
    with processing([Sent("actions", header)]):
        pass
    assert spans() == {}


def test_a_failure_passes_through(spans: Spans) -> None:
    with pytest.raises(KeyError), processing([Sent("actions", sender(1))]):
        raise KeyError
    assert not spans()["process actions"].status.is_ok


def test_no_records_no_spans(spans: Spans) -> None:
    with processing([]):
        assert not trace.get_current_span().get_span_context().is_valid
