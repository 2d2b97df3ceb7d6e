"""State group `user_activity.v1`: a user's totals and rings by hour and day; its bytes, and how readers see them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from loopwright.domain.vectors import I64
from loopwright.featurespec import codec
from loopwright.featurespec.facts import COUNTERS, RING_COUNTERS

GROUP = "user_activity.v1"
VERSION = 1
_HEADER = struct.Struct(f"<{COUNTERS}qqqHH")
_BUCKET_FIELDS = np.dtype([("bucket", "<i8"), ("counts", "<u4", (RING_COUNTERS,))])
BUCKET_BYTES = _BUCKET_FIELDS.itemsize


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


def encode(totals: list[int], first_ms: int, last_ms: int, hours: bytes, days: bytes) -> bytes:
    """Return the canonical bytes of a state; `hours` and `days` are those of the rings, ascending (`BucketRing`)."""
    header = _HEADER.pack(*totals, first_ms, last_ms, len(hours) // BUCKET_BYTES, len(days) // BUCKET_BYTES)
    return bytes([VERSION]) + header + hours + days


def sections(raw: bytes) -> tuple[list[int], int, int, bytes, bytes]:
    """Return totals, first and newest action, and the bytes of the hours and of the days.

    Raises:
        CorruptRecord: The bytes are not an encoded state.
    """
    reader = codec.Reader(raw, GROUP, VERSION)
    *totals, first_ms, last_ms, hours, days = _HEADER.unpack(reader.take(_HEADER.size))
    hourly, daily = reader.take(hours * BUCKET_BYTES), reader.take(days * BUCKET_BYTES)
    reader.end()
    return totals, first_ms, last_ms, hourly, daily


def decode(raw: bytes) -> UserActivity:
    """Return the state of encoded bytes.

    Raises:
        CorruptRecord: The bytes are not an encoded state.
    """
    totals, first_ms, last_ms, *packed = sections(raw)
    hourly, daily = (np.frombuffer(ring, dtype=_BUCKET_FIELDS) for ring in packed)
    return UserActivity(
        np.array(totals, dtype=np.int64),
        first_ms,
        last_ms,
        hourly["bucket"].astype(np.int64),
        hourly["counts"].astype(np.int64),
        daily["bucket"].astype(np.int64),
        daily["counts"].astype(np.int64),
    )
