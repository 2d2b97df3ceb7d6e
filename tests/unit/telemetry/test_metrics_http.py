from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, format_trace_id, use_span

from loopwright.telemetry import Meter, metrics_port, names


@pytest.fixture
def sampled_span() -> Iterator[Span]:
    context = SpanContext(0xABC, 0xDEF, False, TraceFlags(TraceFlags.SAMPLED))
    with use_span(NonRecordingSpan(context)) as span:
        yield span


def test_the_port_serves_registered_metrics_and_closes_with_the_block() -> None:
    meter = Meter()
    meter.count(names.EVENTS_APPENDED, topic="decisions")
    with metrics_port(0, meter=meter) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        with pytest.raises(OSError), metrics_port(port, meter=meter):
            pass
    assert 'loopwright_events_appended_total{topic="decisions"} 1.0' in text
    assert "loopwright_outbox_depth_records 0.0" in text
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1)


def test_whoever_asks_for_openmetrics_sees_the_trace_of_a_sampled_duration(sampled_span: Span) -> None:
    meter = Meter()
    meter.observe(names.STAGE_DURATION, 0.003, stage="rank")
    trace_id = format_trace_id(sampled_span.get_span_context().trace_id)
    with metrics_port(0, meter=meter) as port:
        plain, open_metrics = (
            _read(port, accept) for accept in ("text/plain", "application/openmetrics-text;version=1.0.0,*/*;q=0.1")
        )
    bucket = 'loopwright_stage_duration_seconds_bucket{le="0.005",stage="rank"} 1.0'
    assert f'{bucket} # {{trace_id="{trace_id}"}} 0.003' in open_metrics
    assert open_metrics.endswith("# EOF\n")
    assert bucket in plain and "trace_id" not in plain


def _read(port: int, accept: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return str(answer.read().decode())
