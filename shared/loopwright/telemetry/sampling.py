"""`RootSampler`: the share of traces that is kept, decided once at a trace's root and followed by everything below."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes


class RootSampler(Sampler):
    """Samples by trace id at the root; a parent's flag is followed.

    A root with links (a consumer's batch) is sampled when a trace that it links to is; a root that sends records is
    not: no request began it, it is a heartbeat or the like. What is not sampled is recorded all the same, so that an
    error or a degraded answer can still be kept at its end, but its W3C flag says "not sampled". `record=False` is
    for a process that exports nothing: its spans are ids and no more.
    """

    def __init__(self, ratio: float, *, record: bool = True) -> None:
        """Take the share of the roots.

        Raises:
            ValueError: `ratio` lies outside 0 to 1.
        """
        self._ratio = ratio
        self._bound = TraceIdRatioBased(ratio).bound
        self._otherwise = Decision.RECORD_ONLY if record else Decision.DROP

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """See `Sampler.should_sample`."""
        parent = get_current_span(parent_context).get_span_context()
        if parent.is_valid:
            sampled, state = parent.trace_flags.sampled, parent.trace_state
        else:
            sampled, state = self._begun(trace_id, kind, links), None
        return SamplingResult(Decision.RECORD_AND_SAMPLE if sampled else self._otherwise, attributes, state)

    def _begun(self, trace_id: int, kind: SpanKind | None, links: Sequence[Link] | None) -> bool:
        if kind is SpanKind.CONSUMER:
            return any(link.context.trace_flags.sampled for link in links or ())
        return kind is not SpanKind.PRODUCER and trace_id & TraceIdRatioBased.TRACE_ID_LIMIT < self._bound

    def get_description(self) -> str:
        """See `Sampler.get_description`."""
        return f"RootSampler{{{self._ratio}}}"
