"""What every append does before the log is touched: the checks of the topic table, encoding and the SEND span."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.trace import SpanKind

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.eventlog.refusals import WriterRefused
from loopwright.eventlog.topics import ANY_WRITER, Topic
from loopwright.eventlog.types import Encoded
from loopwright.faults import MessageTooLarge
from loopwright.telemetry import count, inject_headers, names, span

MAX_EVENT_BYTES = 1024 * 1024 - 4096
"""Kafka's default largest request, less key, headers and framing."""


def check_writer(topic: Topic, producer: str) -> None:
    """Hold the rule of one writer per topic.

    Raises:
        WriterRefused: `producer` is not the topic's writer.
    """
    if producer not in topic.writers and ANY_WRITER not in topic.writers:
        raise WriterRefused(f"{producer} may not write {topic.name}: its writer is {', '.join(topic.writers)}")


def encode(topic: Topic, entries: Sequence[tuple[bytes, Event]], traceparent: str, replica: str = "") -> list[Encoded]:
    """Return the entries encoded, each event under the name of the replica that appends it.

    Raises:
        WriterRefused: The topic does not carry the payload.
        MessageTooLarge: An event is above `MAX_EVENT_BYTES`.
    """
    encoded = []
    for key, event in entries:
        if event.WhichOneof("payload") not in topic.payloads:
            raise WriterRefused(f"{topic.name} does not carry {event.WhichOneof('payload')}")
        event.replica = replica
        value = event.SerializeToString()
        if len(value) > MAX_EVENT_BYTES:
            raise MessageTooLarge(f"an event of {topic.name} has {len(value)} bytes; at most {MAX_EVENT_BYTES}")
        encoded.append(Encoded(key, value, traceparent))
    return encoded


@contextmanager
def sending(topic: Topic, records: int) -> Iterator[str]:
    """Run an append in its SEND span; yields the traceparent for the records, counts them when it succeeds."""
    attributes: dict[str, str | int | float | bool] = {
        names.MESSAGING_SYSTEM.name: "kafka",
        names.MESSAGING_OPERATION_NAME.name: "send",
        names.MESSAGING_OPERATION_TYPE.name: "send",
        names.MESSAGING_DESTINATION.name: topic.name,
        names.MESSAGING_BATCH_COUNT.name: records,
    }
    with span(names.SEND, attributes, fill=topic.name, kind=SpanKind.PRODUCER):
        yield next((value.decode() for key, value in inject_headers() if key == "traceparent"), "")
    count(names.EVENTS_APPENDED, records, topic=topic.name)
