"""State group `user_activity.v1`: a user's totals and rings by hour and day; its bytes, and how readers see them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from loopwright.domain.vectors import I64
from loopwright.featurespec import codec
from loopwright.featurespec.facts import COUNTERS, RING_COUNTERS
from loopwright.featurespec.rings import DAYS, HOURS

GROUP = "user_activity.v1"
VERSION = 1
_HEADER = struct.Struct(f"<{COUNTERS}qqqHH")
_BUCKET = struct.Struct(f"<q{RING_COUNTERS}I")
_BUCKET_FIELDS = np.dtype([("bucket", "<i8"), ("counts", "<u4", (RING_COUNTERS,))])

Buckets = dict[int, list[int]]


@dataclass(frozen=True, slots=True)
class UserActivity:
    """Totals int64 [8] by `Counter`; rings as buckets int64 [b] ascending with counts int64 [b, 3].

    Attributes:
        first_ms: First action, -1 without one.
        last_ms: Newest action, -1 without one.
    """

    totals: I64 = field(default_factory=lambda: np.zeros(COUNTERS, dtype=np.int64))
    first_ms: int = -1
    last_ms: int = -1
    hours: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    hourly: I64 = field(default_factory=lambda: np.zeros((0, RING_COUNTERS), dtype=np.int64))
    days: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    daily: I64 = field(default_factory=lambda: np.zeros((0, RING_COUNTERS), dtype=np.int64))


def kept(buckets: Buckets, size: int) -> list[tuple[int, list[int]]]:
    """Return the buckets of a ring of this size, ascending: those above its newest less the size."""
    found = sorted(buckets.items())
    if not found or found[0][0] > (oldest := found[-1][0] - size):
        return found
    return [item for item in found if item[0] > oldest]


def encode(totals: list[int], first_ms: int, last_ms: int, hours: Buckets, days: Buckets) -> bytes:
    """Return the canonical bytes of a state."""
    hourly, daily = kept(hours, HOURS), kept(days, DAYS)
    parts = [bytes([VERSION]), _HEADER.pack(*totals, first_ms, last_ms, len(hourly), len(daily))]
    parts += [_BUCKET.pack(bucket, *counts) for bucket, counts in hourly]
    parts += [_BUCKET.pack(bucket, *counts) for bucket, counts in daily]
    return b"".join(parts)


def decode(raw: bytes) -> UserActivity:
    """Return the state of encoded bytes.

    Raises:
        CorruptRecord: The bytes are not an encoded state.
    """
    reader = codec.Reader(raw, GROUP, VERSION)
    *totals, first_ms, last_ms, hours, days = _HEADER.unpack(reader.take(_HEADER.size))
    hourly, daily = (np.frombuffer(reader.take(count * _BUCKET.size), dtype=_BUCKET_FIELDS) for count in (hours, days))
    reader.end()
    return UserActivity(
        np.array(totals, dtype=np.int64),
        first_ms,
        last_ms,
        hourly["bucket"].astype(np.int64),
        hourly["counts"].astype(np.int64),
        daily["bucket"].astype(np.int64),
        daily["counts"].astype(np.int64),
    )
