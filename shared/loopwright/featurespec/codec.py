"""Little-endian reading and writing of state bytes, so that equal states have equal bytes; the state groups call it."""

from __future__ import annotations

import struct

import numpy as np

from loopwright.domain.vectors import I64, U64
from loopwright.faults import CorruptRecord

_U32 = struct.Struct("<I")
_I64 = struct.Struct("<q")


def text(value: str) -> bytes:
    """Return UTF-8 bytes behind their length (4 bytes)."""
    raw = value.encode()
    return _U32.pack(len(raw)) + raw


def pairs(times_by_id: dict[int, int]) -> bytes:
    """Return ids uint64 ascending and their times int64 behind their number (4 bytes)."""
    count = len(times_by_id)
    ids = np.fromiter(times_by_id.keys(), dtype="<u8", count=count)
    times = np.fromiter(times_by_id.values(), dtype="<i8", count=count)
    order = np.argsort(ids)
    return _U32.pack(count) + ids[order].tobytes() + times[order].tobytes()


class Reader:
    """Reads a state's bytes front to back; every method raises CorruptRecord where they end too soon."""

    def __init__(self, raw: bytes, group: str, version: int) -> None:
        self._raw, self._group, self._at = raw, group, 1
        if not raw or raw[0] != version:
            raise CorruptRecord(f"{group}: unknown version of the state's bytes")

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        chunk = self._raw[self._at : self._at + size]
        if len(chunk) != size:
            raise CorruptRecord(f"{self._group}: the state's bytes end too soon")
        self._at += size
        return chunk

    def u8(self) -> int:
        """Return an unsigned byte."""
        return self.take(1)[0]

    def u32(self) -> int:
        """Return an unsigned 32-bit number."""
        return int(_U32.unpack(self.take(4))[0])

    def i64(self) -> int:
        """Return a signed 64-bit number."""
        return int(_I64.unpack(self.take(8))[0])

    def text(self) -> str:
        """Return a text written by `text`."""
        try:
            return self.take(self.u32()).decode()
        except UnicodeDecodeError as error:
            raise CorruptRecord(f"{self._group}: text is not UTF-8") from error

    def u64s(self, count: int) -> U64:
        """Return `count` uint64."""
        return np.frombuffer(self.take(8 * count), dtype="<u8").astype(np.uint64, copy=False)

    def i64s(self, count: int) -> I64:
        """Return `count` int64."""
        return np.frombuffer(self.take(8 * count), dtype="<i8").astype(np.int64, copy=False)

    def pairs(self) -> tuple[U64, I64]:
        """Return ids and times written by `pairs`."""
        count = self.u32()
        return self.u64s(count), self.i64s(count)

    def end(self) -> None:
        """Check that nothing is left."""
        if self._at != len(self._raw):
            raise CorruptRecord(f"{self._group}: bytes left over")
