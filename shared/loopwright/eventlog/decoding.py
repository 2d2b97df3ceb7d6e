"""Bytes of the log to records, once per record; both logs' readers call it.

Upcasting of old payload versions belongs here, before the record is handed on.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.ids import logical_partition
from loopwright.eventlog.types import UNDECODABLE, UNKNOWN_PAYLOAD, OnUndecodable, Record, Undecodable
from loopwright.faults import CorruptRecord, UnknownPayload


def decode(
    topic: str, partition: int, offset: int, key: bytes, value: bytes, traceparent: str, log_time_ms: int
) -> Record | Undecodable | None:
    """Return the record; what cannot be used as `Undecodable`; None for an unknown payload that may be ignored."""
    logical = logical_partition(key)
    try:
        event = Event.FromString(value)
    except DecodeError:
        return Undecodable(topic, partition, offset, logical, key, value, UNDECODABLE, traceparent, log_time_ms)
    if event.WhichOneof("payload") is None:
        if event.may_ignore:
            return None
        return Undecodable(topic, partition, offset, logical, key, value, UNKNOWN_PAYLOAD, traceparent, log_time_ms)
    return Record(topic, partition, offset, logical, key, event, value, traceparent, log_time_ms)


def hand_over(unusable: Undecodable, on_undecodable: OnUndecodable | None) -> None:
    """Give an unusable record to the callback, or raise without one.

    Raises:
        CorruptRecord: The bytes do not decode.
        UnknownPayload: The payload is unknown to this build.
    """
    if on_undecodable is not None:
        on_undecodable(unusable)
        return
    fault = CorruptRecord if unusable.reason == UNDECODABLE else UnknownPayload
    place = f"{unusable.topic}/{unusable.partition}@{unusable.offset}"
    raise fault(f"record {place}: {unusable.reason}", metadata={"record": place})
