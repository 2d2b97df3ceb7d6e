"""Sets records aside that are late or cannot be used: with their original bytes, their place and the reason."""

from __future__ import annotations

from loopwright.api.events.v1.event_pb2 import Event, EventSetAside
from loopwright.domain.ids import event_id
from loopwright.eventlog.envelope import HasNow, make_event
from loopwright.eventlog.types import Record, Undecodable
from loopwright.telemetry import count, names

LATE_REASON = "LATE"
INVALID = "INVALID"
POISON = "POISON"


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
    aside = EventSetAside(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=f"{reason}: {detail}" if detail else reason,
        key=record.key,
        value=record.value,
        traceparent=record.traceparent,
    )
    identity = event_id("set_aside", record.topic, record.partition, record.offset)
    return record.key, make_event(identity, clock.now_ms(), clock, producer, event_set_aside=aside)
