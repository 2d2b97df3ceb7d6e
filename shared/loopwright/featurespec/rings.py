"""Rings of integer buckets by event time, newest first, for many rows at once: the fold under every count and trend.

A ring holds the buckets (head - size, head]; the head is the newest bucket ever added to, so that the contents do not
depend on the order of the additions.
"""

from __future__ import annotations

import numpy as np

from loopwright.domain.vectors import F64, I64, U32

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HOURS = 48
DAYS = 90

_EXACT = float(1 << 28)  # weights are multiples of 2**-28: sums with counts below 2**25 are exact in any order


def advance(ring: U32, heads: I64, new_heads: I64) -> None:
    """Move heads forward in place: ring uint32 [n, C, K], heads int64 [n] (-1: empty), new_heads >= heads."""
    moved = np.flatnonzero(new_heads > heads)
    if len(moved):
        shift = new_heads[moved] - heads[moved]
        filled = heads[moved] >= 0
        ring[moved] = _shifted(ring[moved], np.where(filled, shift, ring.shape[2]))
        heads[moved] = new_heads[moved]


def _shifted(block: U32, shift: I64) -> U32:
    """Return the block with each row moved `shift` places towards the old end; negative: towards the new end."""
    rows, counters, size = block.shape
    wide = np.zeros((rows, counters, 3 * size), dtype=block.dtype)
    wide[:, :, size : 2 * size] = block
    starts = size - np.clip(shift, -size, size)
    # One copy of a window a row: to gather place by place takes four times as long (measured).
    windows = np.lib.stride_tricks.sliding_window_view(wide, size, axis=2)
    return np.asarray(windows[np.arange(rows), :, starts])


def add(ring: U32, heads: I64, rows: I64, counters: I64, buckets: I64) -> None:
    """Add one to each (row, counter, bucket); buckets that left the ring are dropped.

    Args:
        ring: uint32 [n, C, K], changed in place.
        heads: int64 [n], changed in place.
        rows: int64 [m].
        counters: int64 [m].
        buckets: int64 [m], 0 or more.
    """
    touched, inverse = np.unique(rows, return_inverse=True)
    new = heads[touched]
    np.maximum.at(new, inverse, buckets)
    block, old = ring[touched], heads[touched]
    advance(block, old, new)
    back = new[inverse] - buckets
    inside = back < ring.shape[2]
    np.add.at(block, (inverse[inside], counters[inside], back[inside]), np.uint32(1))
    ring[touched], heads[touched] = block, new


def as_of(ring: U32, heads: I64, bucket: int) -> tuple[U32, I64]:
    """Return ring and heads without the buckets after `bucket`."""
    late = heads > bucket
    if not late.any():
        return ring, heads
    cut, cut_heads = ring.copy(), heads.copy()
    cut[late] = _shifted(ring[late], bucket - heads[late])
    cut_heads[late] = bucket
    return cut, cut_heads


def weights(size: int, half_life: float) -> F64:
    """Return float64 [size]: the weight of each place of a ring relative to its head; half-life in buckets."""
    decay = np.exp2(-np.arange(size, dtype=np.float64) / half_life)
    return np.asarray(np.rint(decay * _EXACT) / _EXACT, dtype=np.float64)


def head_factor(heads: I64, now_buckets: float, half_life: float) -> F64:
    """Return float64 [n]: the weight of each head at `now`, whose age counts from the middle of the bucket.

    Args:
        heads: int64 [n]; -1 (empty) gives 0.
        now_buckets: Now, in buckets since the epoch, with its fraction.
        half_life: In buckets.
    """
    age = np.maximum(0.0, now_buckets - heads - 0.5)
    return np.asarray(np.where(heads >= 0, np.exp2(-age / half_life), 0.0), dtype=np.float64)
