from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider

from loopwright.telemetry import TelemetrySettings, configure, inject, names, span
from loopwright.telemetry.tracing import use_provider


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    use_provider(NoOpTracerProvider())
    root.handlers[:] = handlers
    root.setLevel(level)


def test_spans_carry_the_services_name_and_reach_the_processor() -> None:
    exporter = InMemorySpanExporter()
    everything = TelemetrySettings(sample_ratio=1)
    provider = configure("policy", everything, version="1.2", processor=SimpleSpanProcessor(exporter))
    with span(names.DECIDE):
        pass
    provider.shutdown()
    (done,) = exporter.get_finished_spans()
    assert done.resource.attributes["service.name"] == "policy"
    assert done.resource.attributes["service.version"] == "1.2"


def test_without_a_processor_spans_still_have_ids_for_the_logs() -> None:
    provider = configure("policy")
    with span(names.DECIDE) as active:
        assert active.get_span_context().is_valid and not active.is_recording()
        assert dict(inject())["traceparent"].endswith(("-00", "-02"))
    provider.shutdown()
