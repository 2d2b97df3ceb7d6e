"""Sets up telemetry once per process, at its entry point: tracer provider and JSON logs."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor

from loopwright.telemetry.export import SpanSink, otlp_exporter
from loopwright.telemetry.keeping import TailKeeper
from loopwright.telemetry.logs import configure_logs
from loopwright.telemetry.sampling import RootSampler
from loopwright.telemetry.settings import TelemetrySettings
from loopwright.telemetry.spans import SpanProvider
from loopwright.telemetry.tracing import use_provider


def configure(
    service: str,
    settings: TelemetrySettings | None = None,
    *,
    level: str = "INFO",
    version: str = "",
    replica: str = "",
    processor: SpanProcessor | None = None,
) -> SpanProvider:
    """Configures traces and logs of this process.

    Spans always have ids, so that log lines carry them; without an endpoint or a processor they record nothing.

    Args:
        service: `service.name` of the resource, and `service` of each log line.
        settings: where spans go and which share of them; None exports nothing.
        level: lowest log level written.
        version: `service.version`, empty to leave it out.
        replica: `service.instance.id`, empty to leave it out.
        processor: where finished spans go instead of the endpoint of the settings.

    Returns:
        The provider; the entry point calls its `shutdown()` last.
    """
    chosen = settings or TelemetrySettings()
    if processor is None and chosen.otlp_endpoint:
        sink = SpanSink(otlp_exporter(chosen), chosen)
        processor = TailKeeper(sink, held_spans=chosen.held_spans, held_age_s=chosen.held_age_s)
    named = {"service.name": service, "service.version": version, "service.instance.id": replica}
    resource = Resource.create({key: value for key, value in named.items() if value})
    provider = SpanProvider(resource, RootSampler(chosen.sample_ratio if processor else 0), processor)
    use_provider(provider)
    configure_logs(service, level)
    return provider
