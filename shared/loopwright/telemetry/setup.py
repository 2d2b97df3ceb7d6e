"""Sets up telemetry once per process, at its entry point: tracer provider and JSON logs."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler

from loopwright.telemetry.logs import configure_logs
from loopwright.telemetry.tracing import use_provider


def configure(
    service: str,
    *,
    level: str = "INFO",
    version: str = "",
    processor: SpanProcessor | None = None,
    sampler: Sampler | None = None,
) -> TracerProvider:
    """Configures traces and logs of this process.

    Spans always exist, so that log lines carry trace ids; without a processor none is exported.

    Args:
        service: `service.name` of the resource, and `service` of each log line.
        level: lowest log level written.
        version: `service.version`, empty to leave it out.
        processor: where finished spans go; batching and exporting are its business.
        sampler: decides at the root of a trace; by default all are kept, and a parent's decision is followed.

    Returns:
        The provider; the entry point calls its `shutdown()` last.
    """
    attributes = {"service.name": service} | ({"service.version": version} if version else {})
    provider = TracerProvider(
        resource=Resource.create(attributes),
        sampler=sampler or ParentBased(ALWAYS_ON),
        shutdown_on_exit=False,
    )
    if processor is not None:
        provider.add_span_processor(processor)
    use_provider(provider)
    configure_logs(service, level)
    return provider
