"""Spans from the registry, and W3C trace context through gRPC metadata and Kafka headers.

The provider is this module's own (`use_provider`), so that tests may change it; without one no span is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from types import TracebackType
from typing import Any, Protocol

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    NoOpTracerProvider,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from loopwright.telemetry import names
from loopwright.telemetry.entries import SpanName
from loopwright.telemetry.spans import SpanTracer

Value = str | int | float | bool
_W3C = TraceContextTextMapPropagator()
_PARENT, _STATE = "traceparent", "tracestate"
_FIELDS = (_PARENT, _STATE)
_OURS = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SCOPE = "loopwright"
_FILLINGS = 1024
"""Filled span names kept; there are as many as methods, topics and sources."""


class Starts(Protocol):
    """What starts spans: ours, or OpenTelemetry's own tracer."""

    def start_span(
        self,
        name: str,
        context: Context | None = ...,
        kind: SpanKind = ...,
        attributes: Any = ...,
        links: Sequence[Link] = ...,
    ) -> Span:
        """Start a span that is not made current."""
        ...


class Provides(Protocol):
    """Where tracers come from."""

    def get_tracer(self, scope: str, /) -> Starts:
        """Return what starts spans under the name of a scope."""
        ...


class _Holder:
    tracer: Starts = NoOpTracerProvider().get_tracer(_SCOPE)


def use_provider(provider: Provides) -> None:
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
    written = _registered(name, attributes)
    return _Holder.tracer.start_span(_filled(name, fill), parent, kind, written, links)


def open_server_span(
    name: SpanName,
    attributes: Mapping[str, Value],
    fill: str,
    metadata: Iterable[tuple[str, str | bytes]],
) -> Span:
    """Starts the span of a call being served, below the caller's span that the call's metadata names.

    Raises:
        LookupError: the span or one of its attributes is not in `names`.
    """
    tracer = _Holder.tracer
    if not isinstance(tracer, SpanTracer):
        return open_span(name, attributes, fill=fill, kind=SpanKind.SERVER, parent=extract(metadata))
    written = _registered(name, attributes)
    return tracer.serve(_filled(name, fill), _caller(metadata), written)


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


def inject(span: Span | None = None) -> tuple[tuple[str, str], ...]:
    """Returns the W3C trace context of a span (the current one by default) as gRPC metadata; empty without one."""
    found = (trace.get_current_span() if span is None else span).get_span_context()
    if not found.is_valid:
        return ()
    parent = (_PARENT, f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}")
    return (parent, (_STATE, found.trace_state.to_header())) if found.trace_state else (parent,)


def inject_headers(span: Span | None = None) -> list[tuple[str, bytes]]:
    """Returns the W3C trace context of a span (the current one by default) as Kafka record headers."""
    return [(key, value.encode("ascii")) for key, value in inject(span)]


def extract(pairs: Iterable[tuple[str, str | bytes]]) -> Context:
    """Reads a W3C trace context from gRPC metadata or Kafka headers; a malformed one is empty."""
    found = _caller(pairs)
    return Context() if found is None else trace.set_span_in_context(NonRecordingSpan(found), Context())


def link_to(context: Context) -> Link | None:
    """Returns a link to the span inside an extracted context, None when there is none."""
    found = trace.get_current_span(context).get_span_context()
    return Link(found) if found.is_valid else None


def _caller(pairs: Iterable[tuple[str, str | bytes]]) -> SpanContext | None:
    carrier = {
        key: value if isinstance(value, str) else value.decode("ascii", "replace")
        for key, value in pairs
        if key in _FIELDS
    }
    ours = _OURS.fullmatch(carrier.get(_PARENT, "")) if len(carrier) == 1 else None
    if ours is not None:
        trace_id, span_id, flags = ours.groups()
        found = SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16)))
    elif carrier:  # another version, a vendor's state, or nonsense
        found = trace.get_current_span(_W3C.extract(carrier, Context())).get_span_context()
    else:
        return None
    return found if found.is_valid else None


def _registered(name: SpanName, attributes: Mapping[str, Value] | None) -> dict[str, Value]:
    """Return the attributes as a dictionary of the span's own, when it and they are in the registry."""
    if name not in names.SPANS:
        raise LookupError(f"span {name.name!r} is not in the registry of telemetry names")
    written = dict(attributes) if attributes else {}
    if not written.keys() <= names.ATTRIBUTES.keys():
        key = next(key for key in written if key not in names.ATTRIBUTES)
        raise LookupError(f"attribute {key!r} is not in the registry of telemetry names")
    return written


@lru_cache(_FILLINGS)
def _filled(name: SpanName, fill: str | None) -> str:
    return name.filled(fill)
