"""`RootSampler`: the share of traces that is kept, decided once at a trace's root and followed by everything below."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.trace import Link, SpanContext, SpanKind

_ID_BITS = 64
_LOW = 2**_ID_BITS - 1


class RootSampler:
    """Samples by trace id at the root; a parent's flag is followed.

    A root with links (a consumer's batch) is sampled when a trace that it links to is; a root that sends records is
    not: no request began it, it is a heartbeat or the like. What is not sampled is recorded all the same, so that an
    error or a degraded answer can still be kept at its end, but its W3C flag says "not sampled".
    """

    def __init__(self, ratio: float) -> None:
        """Take the share of the roots.

        Raises:
            ValueError: `ratio` lies outside 0 to 1.
        """
        if not 0 <= ratio <= 1:
            raise ValueError(f"a share lies in 0 to 1, not at {ratio}")
        # As OpenTelemetry's TraceIdRatioBased decides: by the low 64 bits, which every process sees alike.
        self._bound = round(ratio * 2**_ID_BITS)

    def sampled(self, parent: SpanContext | None, trace_id: int, kind: SpanKind, links: Sequence[Link] = ()) -> bool:
        """Say whether a span is sampled; without a parent it is the root of its trace in this process."""
        if parent is not None:
            return parent.trace_flags.sampled
        if kind is SpanKind.CONSUMER:
            return any(link.context.trace_flags.sampled for link in links)
        return kind is not SpanKind.PRODUCER and trace_id & _LOW < self._bound
