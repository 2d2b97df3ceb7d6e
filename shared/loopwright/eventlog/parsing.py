"""Bytes of many events to messages in one call of the parser; `decoding` calls it for each batch that a reader gets.

A parse of its own costs an event an arena and a call, which is more than the parsing itself: as fields of one message
the events of a batch take a third of the time (measured). They share their memory: it goes when the last of them goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from loopwright.api.events.v1.event_pb2 import Event

MOST_TOGETHER = 512
"""Events that share their memory: enough for the gain, few enough that one kept event keeps little else."""

_NAME = "loopwright.eventlog.Events"
_SHORT = 1 << 14  # lengths below it take at most two bytes


def parse_all(values: Sequence[bytes]) -> list[Event] | None:
    """Return the event of each value; None when one does not decode: it takes `Event.FromString` to say which."""
    events: list[Event] = []
    try:
        for start in range(0, len(values), MOST_TOGETHER):
            part = values[start : start + MOST_TOGETHER]
            fields = [b""] * (2 * len(part))
            fields[::2], fields[1::2] = _heads(part), part
            events += _Events.FromString(b"".join(fields)).events
    except DecodeError:
        return None
    return events


def _heads(values: Sequence[bytes]) -> Sequence[bytes]:
    try:
        return list(map(_HEADS.__getitem__, map(len, values)))
    except IndexError:  # one of them is long
        return [_TAG + _varint(len(value)) for value in values]


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def _container() -> Any:
    """Return the class of a message with events as its field 1; it is never written, so no proto file names it."""
    file = descriptor_pb2.FileDescriptorProto(
        name="loopwright/eventlog/events.proto", syntax="proto3", dependency=[Event.DESCRIPTOR.file.name]
    )
    package, _, name = _NAME.rpartition(".")
    file.package = package
    field = descriptor_pb2.FieldDescriptorProto
    file.message_type.add(name=name).field.add(
        name="events",
        number=1,
        label=field.LABEL_REPEATED,
        type=field.TYPE_MESSAGE,
        type_name=f".{Event.DESCRIPTOR.full_name}",
    )
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(_NAME))


_Events = _container()
_TAG = b"\x0a"  # field 1, length-delimited
_HEADS = [_TAG + _varint(length) for length in range(_SHORT)]
