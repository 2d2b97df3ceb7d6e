"""`DedupWindow` tells fresh facts from repeated and late ones; every fold keeps one per topic and logical partition.

It is stored with the fold's state, so a restart or a rebuild comes to the same answers.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Collection, Iterable
from enum import Enum
from typing import Self

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.ids import EVENT_BYTES
from loopwright.eventlog.envelope import occurred_at_ms, recorded_at_ms
from loopwright.faults import CorruptRecord, PoisonEvent

DAY_MS = 86_400_000
_HEAD = struct.Struct("<4sqqqI")
_ENTRY = struct.Struct(f"<q{EVENT_BYTES}s")
_MAGIC = b"LWD1"
_BEGINNING = -(1 << 62)


class Freshness(Enum):
    """What an event is to a fold."""

    FRESH = "FRESH"
    DUPLICATE = "DUPLICATE"
    LATE = "LATE"


class DedupWindow:
    """Remembers the ids of the last `window_ms` of event time.

    An event's place in time is its `occurred_at`, at most its `recorded_at`: a client's clock that runs ahead must not
    push everybody else's events out of the window. Older than the horizon is LATE, whether seen before or not, so no
    event counts twice however late it comes again. The horizon never falls. Memory is bounded by `max_ids`: beyond it
    the oldest ids go and the horizon rises past them.
    """

    def __init__(self, window_ms: int = DAY_MS, max_ids: int = 1_000_000) -> None:
        if window_ms <= 0 or max_ids <= 0:
            raise ValueError("a window has a positive length and room for at least one id")
        self._window_ms = window_ms
        self._max_ids = max_ids
        self._horizon_ms = _BEGINNING
        self._ids: set[bytes] = set()
        self._by_time: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        """Return the number of ids remembered."""
        return len(self._ids)

    @property
    def horizon_ms(self) -> int:
        """The oldest event time that is not late, in milliseconds of mesh time."""
        return self._horizon_ms

    def classify(self, event: Event) -> Freshness:
        """Say what an event is, and remember it when it is FRESH.

        Raises:
            PoisonEvent: The event's id is not 16 bytes.
        """
        identity = event.event_id
        if len(identity) != EVENT_BYTES:
            raise PoisonEvent(f"an event id has {EVENT_BYTES} bytes, not {len(identity)}")
        time_ms = _time_of(event)
        if time_ms < self._horizon_ms:
            return Freshness.LATE
        if identity in self._ids:
            return Freshness.DUPLICATE
        self._ids.add(identity)
        heapq.heappush(self._by_time, (time_ms, identity))
        self._forget_before(time_ms - self._window_ms)
        if len(self._ids) > self._max_ids:
            self._forget_before(self._by_time[0][0] + 1)
        return Freshness.FRESH

    def fresh(self, events: Iterable[Event]) -> list[Event]:
        """Return the events that are FRESH, in their order."""
        return [event for event in events if self.classify(event) is Freshness.FRESH]

    def forget(self, identities: Collection[bytes]) -> None:
        """Forget events that turned out not to be folded, so that they are FRESH once they can be."""
        self._by_time = [entry for entry in self._by_time if entry[1] not in identities]
        heapq.heapify(self._by_time)
        self._ids.difference_update(identities)

    def encode(self) -> bytes:
        """Return the window as bytes; equal windows have equal bytes."""
        head = _HEAD.pack(_MAGIC, self._window_ms, self._max_ids, self._horizon_ms, len(self._ids))
        return head + b"".join(_ENTRY.pack(*entry) for entry in sorted(self._by_time))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a window back.

        Raises:
            CorruptRecord: The bytes are not a window's.
        """
        try:
            magic, window_ms, max_ids, horizon_ms, count = _HEAD.unpack_from(data)
            if magic != _MAGIC or len(data) != _HEAD.size + count * _ENTRY.size:
                raise ValueError("wrong length or mark")
            found = cls(window_ms, max_ids)
        except (struct.error, ValueError) as error:
            raise CorruptRecord("a stored dedup window does not decode") from error
        found._horizon_ms = horizon_ms
        found._by_time = list(_ENTRY.iter_unpack(memoryview(data)[_HEAD.size :]))  # sorted, hence a heap
        found._ids = {identity for _, identity in found._by_time}
        return found

    def _forget_before(self, horizon_ms: int) -> None:
        if horizon_ms <= self._horizon_ms:
            return
        self._horizon_ms = horizon_ms
        while self._by_time and self._by_time[0][0] < horizon_ms:
            self._ids.discard(heapq.heappop(self._by_time)[1])


def _time_of(event: Event) -> int:
    occurred = occurred_at_ms(event)
    return min(occurred, recorded_at_ms(event)) if event.HasField("recorded_at") else occurred
