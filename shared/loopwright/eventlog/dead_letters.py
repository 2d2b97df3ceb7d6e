"""Sets records aside that are late or cannot be used: with their original bytes, their place and the reason.

Bytes for which an event has no room are left where they lie, and the reason says so: a record that could not be set
aside would hold its reader for ever.
"""

from __future__ import annotations

from loopwright.api.events.v1.event_pb2 import Event, EventSetAside
from loopwright.domain.ids import event_id
from loopwright.eventlog.appending import MAX_EVENT_BYTES
from loopwright.eventlog.envelope import HasNow, make_event
from loopwright.eventlog.types import Record, Undecodable
from loopwright.telemetry import count, names

LATE_REASON = "LATE"
INVALID = "INVALID"
POISON = "POISON"

MOST_BYTES = MAX_EVENT_BYTES - 4096
"""Most bytes of key and value that are copied; the rest is room for place, reason and envelope."""


def set_aside(
    record: Record | Undecodable, reason: str, detail: str, *, clock: HasNow, producer: str
) -> tuple[bytes, Event]:
    """Return key and event to append to LATE or DEAD_LETTERS; the same record always gives the same event id.

    Args:
        record: What is set aside.
        reason: LATE, UNDECODABLE, UNKNOWN_PAYLOAD, INVALID or POISON.
        detail: One readable sentence without personal data; empty when the reason says it all.
        clock: The mesh clock.
        producer: The service that sets it aside.
    """
    count(names.EVENTS_DEAD, topic=record.topic, reason=reason)
    key, value = record.key, record.value
    if len(key) + len(value) > MOST_BYTES:
        said = f"its {len(key) + len(value)} bytes are too many to be set aside and lie at its place alone"
        detail = f"{detail}; {said}" if detail else said
        key, value = key if len(key) <= MOST_BYTES else b"", b""
    aside = EventSetAside(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=f"{reason}: {detail}" if detail else reason,
        key=key,
        value=value,
        traceparent=record.traceparent,
    )
    identity = event_id("set_aside", record.topic, record.partition, record.offset)
    return key, make_event(identity, clock.now_ms(), clock, producer, event_set_aside=aside)
