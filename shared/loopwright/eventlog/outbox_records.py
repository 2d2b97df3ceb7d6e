"""Records of the outbox as bytes: length, CRC32, then time, topic, key, traceparent and the encoded event."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from loopwright.eventlog.outbox_file import OutboxFiles
from loopwright.eventlog.types import Encoded

_HEAD = struct.Struct("<II")
_BODY = struct.Struct("<qHHH")
_MAX_BODY_BYTES = 4 * 1024 * 1024
_READ_BYTES = 8 * 1024 * 1024


class Waiting(NamedTuple):
    """An entry on its way to the log, with the wall time at which it came to the outbox."""

    wall_ms: int
    topic: str
    entry: Encoded


def frame(waiting: Waiting) -> bytes:
    """Return the record of an entry."""
    topic, key, trace = waiting.topic.encode(), waiting.entry.key, waiting.entry.traceparent.encode()
    body = b"".join(
        (_BODY.pack(waiting.wall_ms, len(topic), len(key), len(trace)), topic, key, trace, waiting.entry.value)
    )
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def unframe(record: bytes) -> Waiting | None:
    """Return the entry of a whole record; None when it is not one."""
    if len(record) < _HEAD.size + _BODY.size:
        return None
    length, checksum = _HEAD.unpack_from(record)
    body = record[_HEAD.size :]
    if length != len(body) or zlib.crc32(body) != checksum:
        return None
    wall_ms, *sizes = _BODY.unpack_from(body)
    parts, at = [], _BODY.size
    for size in sizes:
        parts.append(body[at : at + size])
        at += size
    topic, key, trace = parts
    return Waiting(wall_ms, topic.decode(), Encoded(key, body[at:], trace.decode()))


def scan(files: OutboxFiles, number: int) -> Iterator[tuple[int, int, Waiting]]:
    """Yield (offset, size, entry) of every whole record from the file's beginning; stops at the first that is not."""
    end, at, buffer, begin = files.size(number), 0, b"", 0
    while at + _HEAD.size <= end:
        if at + _HEAD.size > begin + len(buffer):
            buffer, begin = files.read(number, at, _READ_BYTES), at
        length, _ = _HEAD.unpack_from(buffer, at - begin)
        size = _HEAD.size + length
        if length > _MAX_BODY_BYTES or at + size > end:
            return
        if at + size > begin + len(buffer):
            buffer, begin = files.read(number, at, max(_READ_BYTES, size)), at
        entry = unframe(buffer[at - begin : at - begin + size])
        if entry is None:
            return
        yield at, size, entry
        at += size
