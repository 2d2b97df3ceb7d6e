"""`SpanProvider` makes this process's spans; unsampled ones cost a few microseconds until something keeps them.

`configure` makes one. The SDK's own spans copy, check and lock every attribute, ten times the cost, for traces of which
nearly all are let go; the names registry has checked ours already.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
)
from opentelemetry.util.types import Attributes, AttributeValue

from loopwright.telemetry.sampling import RootSampler

_RANDOM_ID = 0x02
"""W3C Trace Context level 2: the trace id is random; a child keeps what its root said."""
_FLAGS = tuple(TraceFlags(flags) for flags in range(4))


class RecordedSpan(ReadableSpan, Span):
    """A span that is recorded: what the API's users write and what processors and exporters read.

    Attributes:
        part: What the processor notes here; a span begins with what is noted at the one it was started below.
    """

    def __init__(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: dict[str, Any],
        links: Sequence[Link],
        tracer: SpanTracer,
        processor: SpanProcessor,
        part: object,
    ) -> None:
        super().__init__(
            name,
            context,
            parent,
            tracer.resource,
            attributes,
            (),
            links,
            kind,
            start_time=time.time_ns(),
            instrumentation_scope=tracer.scope,
        )
        self.part = part
        self._written = attributes
        self._processor = processor

    def get_span_context(self) -> SpanContext:
        """Return the ids and flags."""
        context: SpanContext = self._context  # type: ignore[assignment]
        return context

    def is_recording(self) -> bool:
        """Say whether it has not ended."""
        return self._end_time is None

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set one attribute."""
        self._written[key] = value

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set several attributes."""
        self._written.update(attributes)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Add an event."""
        self._events = (*self._events, Event(name, attributes, timestamp))

    def update_name(self, name: str) -> None:
        """Give it another name."""
        self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set how it went."""
        self._status = status if isinstance(status, Status) else Status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Add an exception's type as an event; its text may hold data."""
        self.add_event("exception", {"exception.type": type(exception).__qualname__, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """End it, once."""
        if self._end_time is None:
            self._end_time = end_time or time.time_ns()
            self._processor.on_end(self)


class SpanTracer:
    """Starts spans; `SpanProvider.get_tracer` makes it.

    Args:
        scope: Name of the code that the spans are of.
        resource: What every span says of its process.
        sampler: Which traces begun here are sampled.
        processor: Hears of every recorded span; None: spans are ids and no more.
    """

    def __init__(self, scope: str, resource: Resource, sampler: RootSampler, processor: SpanProcessor | None) -> None:
        self.scope = InstrumentationScope(scope)
        self.resource = resource
        self.processor = processor
        self._sampler = sampler
        self._ids = RandomIdGenerator()

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: dict[str, Any] | None = None,
        links: Sequence[Link] = (),
    ) -> Span:
        """Start a span below the context's span, or a trace; `attributes` become the span's own."""
        above = get_current_span(context)
        around = above.get_span_context()
        parent = around if around.is_valid else None
        written = {} if attributes is None else attributes
        return self._started(
            name, parent, kind, written, links, above.part if isinstance(above, RecordedSpan) else None
        )

    def serve(self, name: str, caller: SpanContext | None, attributes: dict[str, Any]) -> Span:
        """Start a server's span below its caller's; the same as `start_span` without a context made around it."""
        return self._started(name, caller, SpanKind.SERVER, attributes, (), None)

    def _started(
        self,
        name: str,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: dict[str, Any],
        links: Sequence[Link],
        part: object,
    ) -> Span:
        if parent is None:
            trace_id, state, random = self._ids.generate_trace_id(), None, _RANDOM_ID
        else:
            trace_id, state, random = parent.trace_id, parent.trace_state, parent.trace_flags & _RANDOM_ID
        sampled = self._sampler.sampled(parent, trace_id, kind, links)
        found = SpanContext(trace_id, self._ids.generate_span_id(), False, _FLAGS[random | sampled], state)
        processor = self.processor
        if processor is None:
            return NonRecordingSpan(found)
        span = RecordedSpan(name, found, parent, kind, attributes, links, self, processor, part)
        told: Any = span  # processors are typed for the SDK's spans and read what these share with them
        processor.on_start(told)
        return span


class SpanProvider:
    """Where the spans of a process come from; see `SpanTracer`."""

    def __init__(self, resource: Resource, sampler: RootSampler, processor: SpanProcessor | None) -> None:
        self._resource, self._sampler, self._processor = resource, sampler, processor

    def get_tracer(self, scope: str) -> SpanTracer:
        """Return what starts spans under the name of a scope."""
        return SpanTracer(scope, self._resource, self._sampler, self._processor)

    def shutdown(self) -> None:
        """Shut the processor; called last."""
        if self._processor is not None:
            self._processor.shutdown()
