"""A user's counts by hour or by day, kept as the bytes that a state holds of them; `users` folds into it."""

from __future__ import annotations

import struct

from loopwright.featurespec.facts import RING_COUNTERS, RingRaise

_BUCKET = struct.Struct(f"<q{RING_COUNTERS}I")
_PLACE = struct.Struct("<q")
_COUNTS = struct.Struct(f"<{RING_COUNTERS}I")
_SIZE = _BUCKET.size
_NONE = -1
_NOTHING: RingRaise = (0, 0, 0)


class BucketRing:
    """Buckets in ascending order, those above the newest less the ring's size, whose bytes cost a copy.

    A bucket outside the ring leaves for good: the newest never falls, so no order of additions brings it back.
    """

    __slots__ = ("_newest", "_packed", "_size")

    def __init__(self, size: int, packed: bytes = b"") -> None:
        """Take the number of buckets that the ring spans, and the whole bytes of an earlier ring."""
        self._size = size
        self._packed = bytearray(packed)
        self._newest: int = _PLACE.unpack_from(packed, len(packed) - _SIZE)[0] if packed else _NONE

    def add(self, bucket: int, raised: RingRaise) -> None:
        """Add to the counters of a bucket, 0 or more."""
        packed = self._packed
        if bucket == self._newest:
            place = len(packed) - _SIZE
        elif bucket > self._newest:
            packed += _BUCKET.pack(bucket, *raised)
            self._newest = bucket
            self._forget(bucket - self._size)
            return
        elif bucket <= self._newest - self._size:
            return
        else:
            place = self._place(bucket)
        counts = place + _PLACE.size
        engagements, likes, views = _COUNTS.unpack_from(packed, counts)
        _COUNTS.pack_into(packed, counts, engagements + raised[0], likes + raised[1], views + raised[2])

    def encode(self) -> bytes:
        """Return the buckets, each as its number int64 and its counts uint32 [3]."""
        return bytes(self._packed)

    def _forget(self, oldest: int) -> None:
        packed, gone = self._packed, 0
        while _PLACE.unpack_from(packed, gone)[0] <= oldest:
            gone += _SIZE
        if gone:
            del packed[:gone]

    def _place(self, bucket: int) -> int:
        """Return where a bucket below the newest is, put in when there is none."""
        packed = self._packed
        low, high = 0, len(packed) // _SIZE
        while low < high:
            middle = (low + high) // 2
            if _PLACE.unpack_from(packed, middle * _SIZE)[0] < bucket:
                low = middle + 1
            else:
                high = middle
        place = low * _SIZE
        if _PLACE.unpack_from(packed, place)[0] != bucket:
            packed[place:place] = _BUCKET.pack(bucket, *_NOTHING)
        return place
