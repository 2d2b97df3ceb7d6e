"""`processing`: the spans of a consumer's batch, one per topic, linked to the spans that sent its records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, TraceFlags

from loopwright.telemetry import names
from loopwright.telemetry.tracing import Value, span

MAX_LINKS = 128
"""The SDK's own limit on the links of a span; further ones are counted in an attribute."""
_LENGTH = len("00-" + 32 * "0" + "-" + 16 * "0" + "-01")


class Sent(Protocol):
    """What a record of the log tells about its sending."""

    @property
    def topic(self) -> str:
        """Topic of the record."""
        ...

    @property
    def traceparent(self) -> str:
        """W3C trace context of its sender; empty without one."""
        ...


@contextmanager
def processing(records: Iterable[Sent]) -> Iterator[None]:
    """Runs the block, a batch's work, in a `process {topic}` span per topic of the batch.

    Each is the root of a trace of its own, sampled when a sender's trace is (`RootSampler`), and links to the spans of
    the sampled senders: a batch has many senders, so none of them is its parent. The first topic with a link is the
    current span, whose id the log lines and the records sent meanwhile carry.
    """
    counts: dict[str, int] = {}
    senders: dict[str, dict[str, None]] = {}
    for record in records:
        topic, sender = record.topic, record.traceparent
        counts[topic] = counts.get(topic, 0) + 1
        if sender and _sampled(sender):
            senders.setdefault(topic, {})[sender] = None
    with ExitStack() as stack:
        # Those with links enter last, the first of them at the very end: what is entered last is current.
        for topic in [*(topic for topic in counts if topic not in senders), *reversed(senders)]:
            stack.enter_context(_span(topic, counts[topic], list(senders.get(topic, ()))))
        yield


def _span(topic: str, records: int, senders: list[str]) -> AbstractContextManager[Span]:
    links = [link for sender in senders[:MAX_LINKS] if (link := _link(sender)) is not None]
    attributes: dict[str, Value] = {
        names.MESSAGING_SYSTEM.name: "kafka",
        names.MESSAGING_OPERATION_NAME.name: "process",
        names.MESSAGING_OPERATION_TYPE.name: "process",
        names.MESSAGING_DESTINATION.name: topic,
        names.MESSAGING_BATCH_COUNT.name: records,
    }
    if len(senders) > MAX_LINKS:
        attributes[names.LINKS_LEFT_OUT.name] = len(senders) - MAX_LINKS
    return span(names.PROCESS, attributes, fill=topic, kind=SpanKind.CONSUMER, parent=Context(), links=links)


def _sampled(traceparent: str) -> bool:
    # Read from every record of every batch, so the last digit is looked at before anything is parsed.
    return len(traceparent) == _LENGTH and traceparent[-1] in "13579bdf"


def _link(traceparent: str) -> Link | None:
    try:
        _, trace_id, span_id, flags = traceparent.split("-")
        context = SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16)))
    except ValueError:
        return None
    return Link(context) if context.is_valid else None
