"""Ids in ascending order with one time each, kept as the columns that a state's bytes hold; `user_history` folds."""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left

from loopwright.domain.vectors import I64, U64

_COUNT = struct.Struct("<I")
_IDS, _TIMES = "Q", "q"  # 8 bytes each on every platform that Python runs on


class SortedTimes:
    """A map from uint64 ids to int64 milliseconds whose bytes cost a copy and no sort.

    Looking up is a bisection, adding a move of what lies behind: both far below a microsecond for thousands of ids.
    """

    __slots__ = ("_encoded", "_ids", "_times")

    def __init__(self) -> None:
        self._ids, self._times = array(_IDS), array(_TIMES)
        self._encoded: bytes | None = None

    @classmethod
    def of(cls, ids: U64, times: I64) -> SortedTimes:
        """Return the map of ids uint64 [n], ascending and each once, and times int64 [n]."""
        found = cls()
        found._ids.frombytes(ids.tobytes())
        found._times.frombytes(times.tobytes())
        return found

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self._ids)

    def earliest(self, key: int, at_ms: int) -> None:
        """Take a time; the smallest of an id's times counts."""
        place = self._place(key, at_ms)
        if place >= 0 and at_ms < self._times[place]:
            self._times[place], self._encoded = at_ms, None

    def latest(self, key: int, at_ms: int) -> None:
        """Take a time; the greatest of an id's times counts."""
        place = self._place(key, at_ms)
        if place >= 0 and at_ms > self._times[place]:
            self._times[place], self._encoded = at_ms, None

    def keep_newest(self, count: int) -> None:
        """Forget all but the `count` ids of the greatest (time, id)."""
        if len(self._ids) > count:
            kept = sorted(sorted(zip(self._times, self._ids, strict=True))[-count:], key=lambda entry: entry[1])
            self._times = array(_TIMES, (at_ms for at_ms, _ in kept))
            self._ids = array(_IDS, (key for _, key in kept))
            self._encoded = None

    def encode(self) -> bytes:
        """Return ids uint64 ascending and their times int64 behind their number, as `codec.Reader.pairs` reads them."""
        if self._encoded is None:
            self._encoded = _COUNT.pack(len(self._ids)) + _little(self._ids) + _little(self._times)
        return self._encoded

    def _place(self, key: int, at_ms: int) -> int:
        """Return where a known id is; a new one is put in with its time, and the answer is -1."""
        ids = self._ids
        place = bisect_left(ids, key)
        if place < len(ids) and ids[place] == key:
            return place
        ids.insert(place, key)
        self._times.insert(place, at_ms)
        self._encoded = None
        return -1


def _little(column: array[int]) -> bytes:
    if sys.byteorder == "little":
        return column.tobytes()
    swapped = column[:]
    swapped.byteswap()
    return swapped.tobytes()
