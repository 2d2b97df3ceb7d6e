"""`TailKeeper`: sampled spans go on at once; unsampled ones wait for the end of their part of the trace.

An error or a degraded answer sends the part on, anything else lets it go. `SpanTracer` calls it at the start and end of
every span.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode

from loopwright.telemetry import names
from loopwright.telemetry.export import SpanSink
from loopwright.telemetry.metrics import METER, Meter

MAX_PARTS = 1024
"""Parts of traces that may be open at once; more than a server takes calls, so only spans that never end meet it."""


@dataclass(slots=True)
class _Part:
    """What one process has of one unsampled trace: from its first span here, the local root, to that span's end."""

    root_id: int
    began_s: float
    spans: list[ReadableSpan] = field(default_factory=list)
    keep: bool = False
    ended: bool = False
    given_up: bool = False


def worth_keeping(span: ReadableSpan) -> bool:
    """Say whether a span failed or belongs to a degraded answer."""
    degraded = bool((span.attributes or {}).get(names.DEGRADED.name))
    return span.status.status_code is StatusCode.ERROR or degraded


class TailKeeper(SpanProcessor):
    """Bounded in spans, parts and age: the oldest part gives way, counted as `evicted`."""

    def __init__(
        self,
        sink: SpanSink,
        *,
        held_spans: int,
        held_age_s: float,
        meter: Meter = METER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the sink that finished spans go to.

        Args:
            sink: Takes spans without waiting; shut down with this.
            held_spans: Most finished spans that wait.
            held_age_s: Age in seconds at which a part that has not ended is given up.
            meter: Where evicted spans are counted.
            clock: Monotonic seconds.
        """
        self._sink, self._held_spans, self._held_age_s = sink, held_spans, held_age_s
        self._meter, self._clock = meter, clock
        self._lock = threading.Lock()
        self._parts: dict[int, _Part] = {}  # by the local root's id, oldest first
        self._waiting = 0

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        """Note at a `RecordedSpan` to which part it belongs: its parent's, or one that it begins."""
        context = span.context
        if context.trace_flags.sampled or span.part is not None:
            return
        with self._lock:
            now = self._clock()
            self._make_room(now)
            span.part = self._parts[context.span_id] = _Part(context.span_id, now)

    def on_end(self, span: Any) -> None:
        """Pass a sampled span on; hold the others until their part ends."""
        if span.context.trace_flags.sampled:
            self._sink.put(span)
            return
        with self._lock:
            going = self._ended(span, span.part)
        for one in going:
            self._sink.put(one)

    def shutdown(self) -> None:
        """Let what waits go and shut the sink."""
        with self._lock:
            for part in list(self._parts.values()):
                part.given_up = True
            self._parts.clear()
        self._sink.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do nothing: the sink's thread sends by itself."""
        return True

    def _ended(self, span: ReadableSpan, part: _Part) -> list[ReadableSpan]:
        """Return the spans that are to be exported now that this one has ended."""
        matters = worth_keeping(span)
        if part.given_up:
            return [span] if matters else []
        if part.ended:  # it outlived its local root
            return [span] if part.keep or matters else []
        part.keep = part.keep or matters
        part.spans.append(span)
        self._waiting += 1
        if span.context.span_id == part.root_id:
            return self._close(part)
        if self._waiting > self._held_spans:
            self._evict(next(iter(self._parts.values())))
        return []

    def _close(self, part: _Part) -> list[ReadableSpan]:
        del self._parts[part.root_id]
        self._waiting -= len(part.spans)
        spans, part.spans, part.ended = part.spans, [], True
        return spans if part.keep else []

    def _make_room(self, now: float) -> None:
        while self._parts:
            oldest = next(iter(self._parts.values()))
            if len(self._parts) < MAX_PARTS and now - oldest.began_s < self._held_age_s:
                return
            self._evict(oldest)

    def _evict(self, part: _Part) -> None:
        del self._parts[part.root_id]
        self._waiting -= len(part.spans)
        part.given_up = True
        if part.spans:
            self._meter.count(names.TRACE_SPANS, len(part.spans), outcome="evicted")
            part.spans = []
