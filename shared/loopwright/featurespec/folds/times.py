"""The one way the folds read an event's time: whole milliseconds of mesh time."""

from __future__ import annotations

from loopwright.api.events.v1.event_pb2 import Event


def time_ms(event: Event) -> int:
    """Return when the event happened, in milliseconds of mesh time, never below 0."""
    at = event.occurred_at
    return int(max(0, at.seconds * 1000 + at.nanos // 1_000_000))
