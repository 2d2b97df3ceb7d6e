"""What an event says about an item, as small facts: stage 1 of the projector makes them, `ItemCounts` adds them up."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from loopwright.domain.enums import ENGAGEMENTS, NEGATIVE_ACTIONS, ActionKind
from loopwright.domain.vectors import F32, I64, KIND_MASK, LIKED_FLAG, U8, U64

VIEWED = 32
"""Fact kind of a confirmed view; all other fact kinds are `ActionKind` numbers."""

SLATE_FLAG = 0x80
"""Bit of a fact's kind that says a slate of ours showed the item; `LIKED_FLAG` says that it counted as liked."""

SATISFYING = frozenset({ActionKind.LIKE, ActionKind.SHARE, ActionKind.PURCHASE, ActionKind.COMPLETE, ActionKind.APPLY})
"""Kinds that count as liked whatever the event's flag says."""

MOST_RATING = 1000.0
"""Ratings are cut to ±1,000 and counted in thousandths, so that sums of squares of 1e6 ratings fit an int64."""

_FLOAT32 = struct.Struct("<f")


class Counter(IntEnum):
    """What is counted of an item and of a user; the first three are also kept by hour and by day."""

    ENGAGEMENTS = 0
    LIKES = 1
    VIEWS = 2
    NEGATIVES = 3
    SLATE_ENGAGEMENTS = 4
    RATINGS = 5
    RATING_SUM = 6
    RATING_SQUARES = 7


COUNTERS = len(Counter)
RING_COUNTERS = 3
RingRaise = tuple[int, int, int]
"""What is added to the counters that are kept by hour and by day, in their order."""

PLAIN_COUNTERS = 6  # those that a fact raises by one; the last two add the rating and its square


class Fact(NamedTuple):
    """One fact: kind is `ActionKind` or VIEWED, or-ed with the flags; time in milliseconds of mesh time."""

    item_id: int
    kind: int
    value: float
    time_ms: int


@dataclass(frozen=True, slots=True)
class FactBatch:
    """Facts as columns: item_ids uint64 [m], kinds uint8 [m], values float32 [m], times_ms int64 [m]."""

    item_ids: U64
    kinds: U8
    values: F32
    times_ms: I64

    def __len__(self) -> int:
        return len(self.item_ids)

    @classmethod
    def of(cls, facts: Sequence[Fact]) -> FactBatch:
        """Return the columns of a list of facts, in its order."""
        ids, kinds, values, times = zip(*facts, strict=True) if facts else ((), (), (), ())
        return cls(
            np.array(ids, dtype=np.uint64),
            np.array(kinds, dtype=np.uint8),
            np.array(values, dtype=np.float32),
            np.array(times, dtype=np.int64),
        )

    @classmethod
    def joined(cls, batches: Sequence[FactBatch]) -> FactBatch:
        """Return the facts of all batches as one."""
        if not batches:
            return cls.of(())
        return cls(
            np.concatenate([batch.item_ids for batch in batches]),
            np.concatenate([batch.kinds for batch in batches]),
            np.concatenate([batch.values for batch in batches]),
            np.concatenate([batch.times_ms for batch in batches]),
        )


def raised(kind: int, liked: bool, slate: bool) -> tuple[int, ...]:
    """Return which of the plain counters an action of this kind raises."""
    if kind == VIEWED:
        return (Counter.VIEWS,)
    found: list[int] = []
    if kind in ENGAGEMENTS:
        found.append(Counter.ENGAGEMENTS)
        if slate:
            found.append(Counter.SLATE_ENGAGEMENTS)
    if liked:
        found.append(Counter.LIKES)
    if kind in NEGATIVE_ACTIONS:
        found.append(Counter.NEGATIVES)
    if kind == ActionKind.RATE:
        found.append(Counter.RATINGS)
    return tuple(found)


def thousandths(value: float) -> int:
    """Return a rating in thousandths, cut to ±1,000,000, computed from its float32 as facts carry it."""
    # The cut comes first because its ends are float32 numbers: no rounding passes them, and none overflows.
    narrowed: float = _FLOAT32.unpack(_FLOAT32.pack(min(MOST_RATING, max(-MOST_RATING, value))))[0]
    return round(narrowed * 1000.0)


RAISED = tuple(
    tuple(map(int, raised(kind & KIND_MASK, bool(kind & LIKED_FLAG), bool(kind & SLATE_FLAG)))) for kind in range(256)
)
"""Plain counters that a fact of each kind byte raises."""

RING_RAISED: tuple[RingRaise | None, ...] = tuple(
    (int(Counter.ENGAGEMENTS in found), int(Counter.LIKES in found), int(Counter.VIEWS in found))
    if any(counter < RING_COUNTERS for counter in found)
    else None
    for found in RAISED
)
"""What a fact of each kind byte adds to the counters kept by hour and by day, None when nothing."""

RAISES = np.array([[counter in found for counter in range(PLAIN_COUNTERS)] for found in RAISED], dtype=np.int64)
"""The same as int64 [256, 6]."""
