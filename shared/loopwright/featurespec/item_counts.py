"""State group `item_counts.v1`: lifetime totals and rings of many items side by side; facts in, canonical bytes out.

The projector's stage 2, the mirror and the trainer all keep items in this one class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loopwright.domain.enums import ActionKind
from loopwright.domain.vectors import I64, KIND_MASK, U32
from loopwright.faults import CorruptRecord
from loopwright.featurespec import rings
from loopwright.featurespec.facts import (
    COUNTERS,
    MOST_RATING,
    PLAIN_COUNTERS,
    RAISES,
    RING_COUNTERS,
    Counter,
    FactBatch,
)
from loopwright.featurespec.rings import DAY_MS, DAYS, HOUR_MS, HOURS

_VERSION = 1
_HEADER = np.dtype(
    [
        ("version", "u1"),
        ("hours", "<u2"),
        ("days", "<u2"),
        ("totals", "<i8", (COUNTERS,)),
        ("times", "<i8", (3,)),
        ("heads", "<i8", (2,)),
    ]
)
_CELL = np.dtype([("place", "<u2"), ("count", "<u4")])


class ItemCounts:
    """Counts of n items: totals int64 [n, 8], hourly uint32 [n, 3, 48], daily uint32 [n, 3, 90], heads and times int64.

    Attributes:
        first_ms: int64 [n], first engagement by event time, -1 without one.
        last_ms: int64 [n], last engagement by event time, -1 without one.
        fact_ms: int64 [n], newest fact of any kind, -1 without one.
    """

    def __init__(self, capacity: int = 0) -> None:
        self.capacity = capacity
        self.totals: I64 = np.zeros((capacity, COUNTERS), dtype=np.int64)
        self.hourly: U32 = np.zeros((capacity, RING_COUNTERS, HOURS), dtype=np.uint32)
        self.daily: U32 = np.zeros((capacity, RING_COUNTERS, DAYS), dtype=np.uint32)
        self.hour_heads, self.day_heads, self.first_ms, self.last_ms, self.fact_ms = (
            np.full(capacity, -1, dtype=np.int64) for _ in range(5)
        )

    _ARRAYS = ("totals", "hourly", "daily", "hour_heads", "day_heads", "first_ms", "last_ms", "fact_ms")

    def grow(self, capacity: int) -> None:
        """Make room for more items, which are empty."""
        larger = ItemCounts(capacity)
        for name in self._ARRAYS:
            getattr(larger, name)[: self.capacity] = getattr(self, name)
        self.__dict__.update(larger.__dict__)

    def copy(self) -> ItemCounts:
        """Return an independent copy."""
        twin = ItemCounts()
        twin.__dict__.update({name: getattr(self, name).copy() for name in self._ARRAYS}, capacity=self.capacity)
        return twin

    def clear(self, rows: I64) -> None:
        """Make items empty."""
        self.totals[rows], self.hourly[rows], self.daily[rows] = 0, 0, 0
        for times in (self.hour_heads, self.day_heads, self.first_ms, self.last_ms, self.fact_ms):
            times[rows] = -1

    def add(self, rows: I64, facts: FactBatch) -> None:
        """Add facts: rows int64 [m] says which item each is about. Any order, any grouping: the same state."""
        raised = RAISES[facts.kinds]
        np.add.at(self.totals[:, :PLAIN_COUNTERS], rows, raised)
        rated = np.flatnonzero((facts.kinds & np.uint8(KIND_MASK)) == ActionKind.RATE)
        if len(rated):
            values = np.clip(np.nan_to_num(facts.values[rated].astype(np.float64)), -MOST_RATING, MOST_RATING)
            thousandths = np.rint(values * 1000.0).astype(np.int64)
            np.add.at(self.totals[:, Counter.RATING_SUM], rows[rated], thousandths)
            np.add.at(self.totals[:, Counter.RATING_SQUARES], rows[rated], thousandths**2)
        np.maximum.at(self.fact_ms, rows, facts.times_ms)
        engaged = np.flatnonzero(raised[:, Counter.ENGAGEMENTS])
        times = facts.times_ms[engaged]
        np.maximum.at(self.last_ms, rows[engaged], times)
        # An empty first time is -1, which no minimum would leave: as uint64 it is the largest number.
        np.minimum.at(self.first_ms.view(np.uint64), rows[engaged], times.astype(np.uint64))
        fact, counter = np.nonzero(raised[:, :RING_COUNTERS])
        if len(fact):
            places = rows[fact], counter.astype(np.int64)
            rings.add(self.hourly, self.hour_heads, *places, facts.times_ms[fact] // HOUR_MS)
            rings.add(self.daily, self.day_heads, *places, facts.times_ms[fact] // DAY_MS)

    def encode(self, rows: I64) -> list[bytes]:
        """Return the canonical bytes of each row: equal states have equal bytes."""
        header = np.zeros(len(rows), dtype=_HEADER)
        header["version"] = _VERSION
        header["totals"] = self.totals[rows]
        header["times"] = np.stack([self.first_ms[rows], self.last_ms[rows], self.fact_ms[rows]], axis=1)
        header["heads"] = np.stack([self.hour_heads[rows], self.day_heads[rows]], axis=1)
        hours, hour_ends = _cells(self.hourly[rows], header, "hours")
        days, day_ends = _cells(self.daily[rows], header, "days")
        out: list[bytes] = []
        raw, size = header.tobytes(), _HEADER.itemsize
        hour_start = day_start = 0
        for row, (hour_end, day_end) in enumerate(zip(hour_ends, day_ends, strict=True)):
            out.append(raw[row * size : (row + 1) * size] + hours[hour_start:hour_end] + days[day_start:day_end])
            hour_start, day_start = hour_end, day_end
        return out

    def decode(self, rows: Sequence[int], states: Sequence[bytes]) -> None:
        """Put encoded states into rows.

        Raises:
            CorruptRecord: Bytes are not an encoded state.
        """
        self.put(rows, CountStates(states))

    def put(self, rows: Sequence[int], states: CountStates) -> None:
        """Put read states into rows."""
        where, header = np.asarray(rows, dtype=np.int64), states.header
        self.clear(where)
        self.totals[where] = header["totals"]
        self.first_ms[where], self.last_ms[where], self.fact_ms[where] = header["times"].T
        self.hour_heads[where], self.day_heads[where] = header["heads"].T
        owner = where[states.owner]
        for ring, chosen in ((self.hourly, states.is_hour), (self.daily, ~states.is_hour)):
            _put(ring, owner[chosen], states.cells[chosen])


class CountStates:
    """Encoded states of n items, read whole before any row is touched.

    Attributes:
        header: [n].
        cells: [m], all cells of all items, an item's hours before its days.
        owner: int64 [m], whose each cell is, 0..n-1.
        is_hour: bool [m].
    """

    def __init__(self, states: Sequence[bytes]) -> None:
        """Read the states.

        Raises:
            CorruptRecord: Bytes are not an encoded state.
        """
        size = _HEADER.itemsize
        if any(len(state) < size for state in states):
            raise CorruptRecord("item_counts.v1: too short")
        self.header = np.frombuffer(b"".join(state[:size] for state in states), dtype=_HEADER)
        hours, days = self.header["hours"].astype(np.int64), self.header["days"].astype(np.int64)
        lengths = np.fromiter(map(len, states), dtype=np.int64, count=len(states))
        if (self.header["version"] != _VERSION).any() or (lengths != size + (hours + days) * _CELL.itemsize).any():
            raise CorruptRecord("item_counts.v1: unknown version or wrong length")
        self.cells = np.frombuffer(b"".join(state[size:] for state in states), dtype=_CELL)
        self.is_hour = np.repeat(np.tile([True, False], len(states)), np.stack([hours, days], axis=1).ravel())
        self.owner = np.repeat(np.arange(len(states)), hours + days)
        ends = np.where(self.is_hour, RING_COUNTERS * HOURS, RING_COUNTERS * DAYS)
        if (self.cells["place"] >= ends).any():
            raise CorruptRecord("item_counts.v1: a cell outside its ring")


def _cells(block: U32, header: np.ndarray, field: str) -> tuple[bytes, list[int]]:
    flat = block.reshape(len(block), block.shape[1] * block.shape[2])
    row, place = np.nonzero(flat)
    cells = np.zeros(len(row), dtype=_CELL)
    cells["place"], cells["count"] = place, flat[row, place]
    counts = np.bincount(row, minlength=len(block))
    header[field] = counts
    return cells.tobytes(), (np.cumsum(counts) * _CELL.itemsize).tolist()


def _put(ring: U32, owner: I64, cells: np.ndarray) -> None:
    size = ring.shape[2]
    place = cells["place"].astype(np.int64)
    ring[owner, place // size, place % size] = cells["count"]
