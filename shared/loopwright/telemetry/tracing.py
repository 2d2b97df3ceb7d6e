"""Spans from the registry, and W3C trace context through gRPC metadata and Kafka headers.

The provider is this module's own (`use_provider`), so that tests may change it; without one no span is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    Link,
    NoOpTracerProvider,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    TracerProvider,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from loopwright.telemetry import names
from loopwright.telemetry.entries import SpanName

Value = str | int | float | bool
_W3C = TraceContextTextMapPropagator()
_FIELDS = frozenset({"traceparent", "tracestate"})
_SCOPE = "loopwright"


class _Holder:
    tracer: Tracer = NoOpTracerProvider().get_tracer(_SCOPE)


def use_provider(provider: TracerProvider) -> None:
    """Makes every later span come from `provider`; called by `setup.configure` and by tests."""
    _Holder.tracer = provider.get_tracer(_SCOPE)


def open_span(
    name: SpanName,
    attributes: Mapping[str, Value] | None = None,
    *,
    fill: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Context | None = None,
    links: Sequence[Link] = (),
) -> Span:
    """Starts a span that is not made current; the caller ends it. `span` is the usual way.

    Raises:
        LookupError: the span or one of its attributes is not in `names`.
    """
    if name not in names.SPANS:
        raise LookupError(f"span {name.name!r} is not in the registry of telemetry names")
    for key in attributes or ():
        if key not in names.ATTRIBUTES:
            raise LookupError(f"attribute {key!r} is not in the registry of telemetry names")
    return _Holder.tracer.start_span(
        name.filled(fill), context=parent, kind=kind, attributes=dict(attributes or {}), links=list(links)
    )


def span(
    name: SpanName,
    attributes: Mapping[str, Value] | None = None,
    *,
    fill: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Context | None = None,
    links: Sequence[Link] = (),
) -> AbstractContextManager[Span]:
    """Runs the block in a span; an exception marks it, by type or fault reason only (texts may hold data).

    Args:
        name: an entry of `names.SPANS`.
        attributes: values by registered attribute name, e.g. `{names.SURFACE.name: "home"}`.
        fill: what stands for the name's placeholder, e.g. the topic.
        kind: OpenTelemetry span kind.
        parent: context to continue, by default the current one.
        links: spans that this one follows without being their child (batch consumers).

    Raises:
        LookupError: the span or one of its attributes is not in `names`.
    """
    return _Running(lambda: open_span(name, attributes, fill=fill, kind=kind, parent=parent, links=links))


class _Running:
    """What `trace.use_span` does without its two generators: a request has two dozen spans, all on its path."""

    __slots__ = ("_open", "_span", "_token")

    def __init__(self, start: Callable[[], Span]) -> None:
        self._open = start

    def __enter__(self) -> Span:
        self._span = self._open()
        self._token = attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        detach(self._token)
        if isinstance(error, Exception):
            mark_failed(self._span, str(getattr(error, "reason", type(error).__qualname__)))
        self._span.end()


def mark_failed(active: Span, error_type: str) -> None:
    """Marks a span as failed with a low-cardinality error type."""
    active.set_attribute(names.ERROR_TYPE.name, error_type)
    active.set_status(Status(StatusCode.ERROR))


def inject(context: Context | None = None) -> tuple[tuple[str, str], ...]:
    """Returns the W3C trace context (current by default) as gRPC metadata pairs; empty without a span."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, context)
    return tuple(carrier.items())


def inject_headers(context: Context | None = None) -> list[tuple[str, bytes]]:
    """Returns the W3C trace context (current by default) as Kafka record headers."""
    return [(key, value.encode("ascii")) for key, value in inject(context)]


def extract(pairs: Iterable[tuple[str, str | bytes]]) -> Context:
    """Reads a W3C trace context from gRPC metadata or Kafka headers; a malformed one is empty."""
    carrier = {
        key: value if isinstance(value, str) else value.decode("ascii", "replace")
        for key, value in pairs
        if key in _FIELDS
    }
    return _W3C.extract(carrier, Context())


def link_to(context: Context) -> Link | None:
    """Returns a link to the span inside an extracted context, None when there is none."""
    found = trace.get_current_span(context).get_span_context()
    return Link(found) if found.is_valid else None
