from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import NoOpTracerProvider
from tests.otlp_receiver import hanging, receiving, refusing

from loopwright.telemetry import Meter, TelemetrySettings, configure, names, span
from loopwright.telemetry.export import SpanSink, otlp_exporter
from loopwright.telemetry.tracing import use_provider

FATES = ("exported", "refused", "dropped")


class Exporter(SpanExporter):
    """Does as told with each batch, and can be held."""

    def __init__(self, answer: Callable[[], SpanExportResult] = lambda: SpanExportResult.SUCCESS) -> None:
        self.answer, self.batches, self.shut = answer, list[int](), False
        self.entered, self.go = threading.Event(), threading.Event()
        self.go.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        self.go.wait(10)
        self.batches.append(len(spans))
        return self.answer()

    def shutdown(self) -> None:
        self.shut = True
        self.go.set()


def settings(**values: Any) -> TelemetrySettings:
    return TelemetrySettings(**{"schedule_delay_ms": 10, "shutdown_timeout_ms": 100, "sample_ratio": 1.0} | values)


def counted(meter: Meter) -> tuple[float, ...]:
    return tuple(meter.value(names.TRACE_SPANS, outcome=fate) for fate in FATES)


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.005)


SPAN = ReadableSpan("x")


def test_spans_arrive_in_batches_and_are_counted() -> None:
    exporter, meter = Exporter(), Meter()
    sink = SpanSink(exporter, settings(batch_spans=4), meter)
    for _ in range(10):
        sink.put(SPAN)
    until(lambda: counted(meter) == (10, 0, 0))
    assert max(exporter.batches) <= 4
    sink.shutdown()
    assert exporter.shut


def test_a_full_queue_drops_and_counts_and_never_waits() -> None:
    exporter, meter = Exporter(), Meter()
    exporter.go.clear()
    sink = SpanSink(exporter, settings(batch_spans=1, queue_spans=5), meter)
    sink.put(SPAN)
    assert exporter.entered.wait(10)
    for _ in range(105):
        sink.put(SPAN)
    assert counted(meter) == (0, 0, 100)
    exporter.go.set()
    until(lambda: counted(meter) == (6, 0, 100))
    sink.shutdown()


def test_refused_batches_are_lost_and_counted_and_the_next_ones_are_tried() -> None:
    def crash() -> SpanExportResult:
        raise ValueError("not ours")

    answers = [lambda: SpanExportResult.FAILURE, crash, lambda: SpanExportResult.SUCCESS]
    exporter, meter = Exporter(lambda: answers.pop(0)()), Meter()
    sink = SpanSink(exporter, settings(batch_spans=1), meter)
    for _ in range(3):
        sink.put(SPAN)
    until(lambda: counted(meter) == (1, 2, 0))
    sink.shutdown()


def test_shutting_down_sends_what_waits() -> None:
    exporter, meter = Exporter(), Meter()
    sink = SpanSink(exporter, settings(schedule_delay_ms=60_000, shutdown_timeout_ms=10_000), meter)
    sink.put(SPAN)
    sink.shutdown()
    sink.shutdown()
    sink.put(SPAN)
    assert counted(meter) == (1, 0, 1)


def test_shutting_down_gives_up_on_an_exporter_that_hangs() -> None:
    exporter, meter = Exporter(), Meter()
    exporter.go.clear()
    sink = SpanSink(exporter, settings(batch_spans=1), meter)
    for _ in range(5):
        sink.put(SPAN)
    assert exporter.entered.wait(10)
    sink.shutdown()
    assert exporter.shut
    assert not sink._thread.is_alive()
    assert sum(counted(meter)) == 5 and counted(meter)[2] == 4


@pytest.fixture
def _restored() -> Iterator[None]:
    import logging

    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    use_provider(NoOpTracerProvider())
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_restored")
def test_a_real_receiver_gets_the_spans_over_the_wire() -> None:
    with receiving() as receiver:
        provider = configure("policy", settings(otlp_endpoint=receiver.endpoint), replica="policy-1")
        with span(names.DECIDE, {names.SURFACE.name: "home"}):
            pass
        provider.shutdown()
        (found,) = receiver.spans
    assert (found.service, found.instance, found.name) == ("policy", "policy-1", "decide")
    assert found.attributes == {"loopwright.surface": "home"}


@pytest.mark.usefixtures("_restored")
def test_only_failed_spans_of_an_unsampled_trace_reach_the_receiver() -> None:
    with receiving() as receiver:
        provider = configure("policy", settings(otlp_endpoint=receiver.endpoint, sample_ratio=0.0))
        with span(names.RETRIEVE):
            pass
        with pytest.raises(KeyError), span(names.DECIDE):
            raise KeyError
        provider.shutdown()
        (found,) = receiver.spans
    assert (found.name, found.failed) == ("decide", True)


@pytest.mark.parametrize("sink_of", [refusing, hanging])
def test_a_useless_endpoint_loses_spans_in_time_and_counts_them(sink_of: Any) -> None:
    meter = Meter()
    with sink_of() as endpoint:
        chosen = settings(otlp_endpoint=endpoint, export_timeout_ms=200, batch_spans=1)
        sink = SpanSink(otlp_exporter(chosen), chosen, meter)
        sink.put(SPAN)
        until(lambda: counted(meter) == (0, 1, 0))
        sink.put(SPAN)
        sink.shutdown()
    assert not sink._thread.is_alive()
    assert sum(counted(meter)) == 2
