"""Makes and reads the envelope `Event`; times in Python are integer milliseconds of mesh time.

Writers call `make_event`; folds and labels call the readers below.
"""

from __future__ import annotations

from typing import Any, Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from loopwright.api.common.v1.decision_pb2 import Versions
from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.ids import EVENT_BYTES

_PAYLOADS = frozenset(field.name for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields)


class HasNow(Protocol):
    """A clock of the mesh, such as `loopwright.lifecycle.MeshClock`."""

    def now_ms(self) -> int:
        """Return mesh time in milliseconds."""
        ...


def set_ms(timestamp: Timestamp, milliseconds: int) -> None:
    """Write milliseconds since 1970 into a timestamp; negative ones too."""
    seconds, rest = divmod(milliseconds, 1000)
    timestamp.seconds = seconds
    timestamp.nanos = rest * 1_000_000


def ms_of(timestamp: Timestamp) -> int:
    """Return a timestamp as milliseconds since 1970, rounded down."""
    return timestamp.seconds * 1000 + timestamp.nanos // 1_000_000


def make_event(
    event_id: bytes,
    occurred_at_ms: int,
    clock: HasNow,
    producer: str,
    *,
    surface: str = "",
    versions: Versions | None = None,
    client_event_id: str = "",
    may_ignore: bool = False,
    **payload: Any,
) -> Event:
    """Return an event with exactly one payload, given by its name: `make_event(..., clock_set=ClockSet(...))`.

    Args:
        event_id: 16 bytes, the identity of the fact.
        occurred_at_ms: Mesh time of the fact.
        clock: Gives the mesh time of recording.
        producer: Service and build that write it.
        surface: Surface it happened on.
        versions: Versions in force.
        client_event_id: The client's own id of the fact.
        may_ignore: Whether a reader that does not know the payload may skip it.
        **payload: The payload message under its field name.

    Raises:
        ValueError: Not exactly one known payload, or an event id of another length.
    """
    if len(payload) != 1 or not payload.keys() <= _PAYLOADS:
        raise ValueError(f"an event has exactly one known payload, not {sorted(payload)}")
    if len(event_id) != EVENT_BYTES:
        raise ValueError(f"an event id has {EVENT_BYTES} bytes, not {len(event_id)}")
    event = Event(
        event_id=event_id,
        producer=producer,
        surface=surface,
        versions=versions,
        client_event_id=client_event_id,
        may_ignore=may_ignore,
        **payload,
    )
    set_ms(event.occurred_at, occurred_at_ms)
    set_ms(event.recorded_at, clock.now_ms())
    return event


def occurred_at_ms(event: Event) -> int:
    """Return the mesh time of the fact in milliseconds."""
    return ms_of(event.occurred_at)


def recorded_at_ms(event: Event) -> int:
    """Return the mesh time of its recording in milliseconds."""
    return ms_of(event.recorded_at)


def payload_name(event: Event) -> str:
    """Return the name of the payload, empty when this build does not know it."""
    return event.WhichOneof("payload") or ""


def order_key(event: Event) -> tuple[int, str, bytes]:
    """Return what orders events everywhere: time, then the client's id, then ours; never the offset."""
    return (ms_of(event.occurred_at), event.client_event_id, event.event_id)
