"""Bytes of the log to records, once per record; both logs' readers call it.

Upcasting of old payload versions belongs here, before the record is handed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Protocol

from google.protobuf.message import DecodeError

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.ids import logical_partition
from loopwright.eventlog.parsing import parse_all
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


class Raw(Protocol):
    """A record as the Kafka library hands it over."""

    @property
    def offset(self) -> int: ...  # noqa: D102

    @property
    def key(self) -> bytes | None: ...  # noqa: D102

    @property
    def value(self) -> bytes | None: ...  # noqa: D102

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...  # noqa: D102

    @property
    def timestamp(self) -> int: ...  # noqa: D102


def decode_all(topic: str, partition: int, found: Sequence[Raw], on_undecodable: OnUndecodable | None) -> list[Record]:
    """Return the records of one partition, as `decode` and `hand_over` make them one by one.

    Raises:
        CorruptRecord: Bytes do not decode and there is no `on_undecodable`.
        UnknownPayload: A payload is unknown, may not be ignored, and there is no `on_undecodable`.
    """
    values = [raw.value or b"" for raw in found]
    keys = [raw.key or b"" for raw in found]
    traces = _traceparents(found)
    events = parse_all(values)
    if events is not None and all([event.WhichOneof("payload") is not None for event in events]):
        # Column by column, without a line of Python a record: a replay makes a million of them.
        offsets, times = [raw.offset for raw in found], [raw.timestamp for raw in found]
        logical = map(logical_partition, keys)
        return list(
            map(Record, repeat(topic), repeat(partition), offsets, logical, keys, events, values, traces, times)
        )
    records: list[Record] = []
    for raw, key, value, traceparent in zip(found, keys, values, traces, strict=True):
        read = decode(topic, partition, raw.offset, key, value, traceparent, raw.timestamp)
        if isinstance(read, Undecodable):
            hand_over(read, on_undecodable)
        elif read is not None:
            records.append(read)
    return records


def _traceparents(found: Sequence[Raw]) -> list[str]:
    traces: list[str] = []
    headers: Sequence[tuple[str, bytes | None]] = ()
    traceparent = ""
    for raw in found:
        if raw.headers != headers:  # those who append together send one traceparent
            headers = raw.headers
            traceparent = _traceparent(headers)
        traces.append(traceparent)
    return traces


def _traceparent(headers: Sequence[tuple[str, bytes | None]]) -> str:
    return next((str(value or b"", "ascii", "replace") for key, value in headers if key == "traceparent"), "")


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
