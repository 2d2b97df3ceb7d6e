"""Bytes of the log to records, once per record; both logs' readers call it.

Upcasting of old payload versions belongs here, before the record is handed on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Any, Protocol

from google.protobuf.message import DecodeError

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.ids import logical_partition, logical_partitions
from loopwright.eventlog.parsing import parse_all
from loopwright.eventlog.types import UNDECODABLE, UNKNOWN_PAYLOAD, OnUndecodable, Record, Undecodable
from loopwright.faults import CorruptRecord, UnknownPayload

_OFFSET, _KEY, _VALUE = attrgetter("offset"), attrgetter("key"), attrgetter("value")
_HEADERS, _TIMESTAMP = attrgetter("headers"), attrgetter("timestamp")
_record: Callable[[Iterable[Any]], Record] = partial(tuple.__new__, Record)
"""`Record` of its fields in their order, without the Python that a named tuple's own constructors run (measured)."""


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
    # Column by column, without a line of Python a record: a replay makes a million of them.
    values, keys = _whole(map(_VALUE, found)), _whole(map(_KEY, found))
    traces = _traceparents(found)
    events = parse_all(values)
    if events is not None and None not in map(Event.WhichOneof, events, repeat("payload")):
        places = (repeat(topic), repeat(partition), map(_OFFSET, found), logical_partitions(keys))
        return list(map(_record, zip(*places, keys, events, values, traces, map(_TIMESTAMP, found), strict=False)))
    records: list[Record] = []
    for raw, key, value, traceparent in zip(found, keys, values, traces, strict=True):
        read = decode(topic, partition, raw.offset, key, value, traceparent, raw.timestamp)
        if isinstance(read, Undecodable):
            hand_over(read, on_undecodable)
        elif read is not None:
            records.append(read)
    return records


def _whole(column: Iterable[bytes | None]) -> list[bytes]:
    found = list(column)
    return [text or b"" for text in found] if None in found else found  # type: ignore[return-value]


def _traceparents(found: Sequence[Raw]) -> list[str]:
    traces: list[str] = []
    before: Sequence[tuple[str, bytes | None]] = ()
    traceparent = ""
    for headers in map(_HEADERS, found):
        if headers != before:  # those who append together send one traceparent
            before, traceparent = headers, _traceparent(headers)
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
