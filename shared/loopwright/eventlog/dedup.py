"""`DedupWindow` tells fresh facts from repeated and late ones; every fold keeps one per topic and logical partition.

It is stored with the fold's state, so a restart or a rebuild comes to the same answers.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Sequence
from enum import Enum
from itertools import accumulate
from typing import Self

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.ids import EVENT_BYTES
from loopwright.eventlog.envelope import occurred_at_ms, recorded_at_ms
from loopwright.eventlog.types import Record
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
        # Ascending from `_start` on; what lies before it is forgotten, and goes when it is most of the list.
        self._by_time: list[tuple[int, bytes]] = []
        self._start = 0

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
        ids = self._ids
        if identity in ids:
            return Freshness.DUPLICATE
        ids.add(identity)
        self._put((time_ms, identity))
        if time_ms - self._window_ms > self._horizon_ms:
            self._forget_before(time_ms - self._window_ms)
        if len(ids) > self._max_ids:
            self._forget_before(self._by_time[self._start][0] + 1)
        return Freshness.FRESH

    def fresh(self, events: Iterable[Event]) -> list[Event]:
        """Return the events that are FRESH, in their order; as many calls of `classify` say the same."""
        found = list(events)
        if self.take_all(found):
            return found
        return [event for event in found if self.classify(event) is Freshness.FRESH]

    def take_all(self, events: Sequence[Event]) -> bool:
        """Remember all events at once when `classify` would call each of them FRESH; else change nothing.

        A False only says that it takes `classify` to know.
        """
        if not events:
            return True
        identities = [event.event_id for event in events]
        new = set(identities)
        if len(new) < len(identities) or not new.isdisjoint(self._ids) or set(map(len, new)) != {EVENT_BYTES}:
            return False
        times = [_time_of(event) for event in events]
        newest_ms = list(accumulate(times, max))
        late = any(time_ms < newest - self._window_ms for time_ms, newest in zip(times, newest_ms, strict=True))
        if late or min(times) < self._horizon_ms or len(self._ids) + len(new) > self._max_ids:
            return False
        self._ids |= new
        for entry in zip(times, identities, strict=True):
            self._put(entry)
        self._forget_before(newest_ms[-1] - self._window_ms)
        return True

    def forget(self, identities: Collection[bytes]) -> None:
        """Forget events that turned out not to be folded, so that they are FRESH once they can be."""
        self._by_time = [entry for entry in self._by_time[self._start :] if entry[1] not in identities]
        self._start = 0
        self._ids.difference_update(identities)

    def encode(self) -> bytes:
        """Return the window as bytes; equal windows have equal bytes."""
        head = _HEAD.pack(_MAGIC, self._window_ms, self._max_ids, self._horizon_ms, len(self._ids))
        return head + b"".join(_ENTRY.pack(*entry) for entry in self._by_time[self._start :])

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
        found._by_time = sorted(_ENTRY.iter_unpack(memoryview(data)[_HEAD.size :]))
        found._ids = {identity for _, identity in found._by_time}
        return found

    def _put(self, entry: tuple[int, bytes]) -> None:
        if self._by_time and entry < self._by_time[-1]:
            insort(self._by_time, entry, self._start)
        else:
            self._by_time.append(entry)

    def _forget_before(self, horizon_ms: int) -> None:
        if horizon_ms <= self._horizon_ms:
            return
        self._horizon_ms = horizon_ms
        end = bisect_left(self._by_time, (horizon_ms,), self._start)
        self._ids.difference_update([identity for _, identity in self._by_time[self._start : end]])
        self._start = end
        if 2 * end > len(self._by_time):
            del self._by_time[:end]
            self._start = 0


def classify_all(records: Sequence[Record], window_of: Callable[[str, int], DedupWindow]) -> list[Freshness]:
    """Return what `classify` says of each record's event, one after the other; cheaper where all of them are new.

    Args:
        records: In offset order within each partition.
        window_of: The window of a topic and a logical partition.

    Raises:
        PoisonEvent: An event's id is not 16 bytes.
    """
    found = [Freshness.FRESH] * len(records)
    places: dict[tuple[str, int], list[int]] = {}
    for index, record in enumerate(records):
        places.setdefault((record.topic, record.logical), []).append(index)
    for (topic, logical), indices in places.items():
        window, events = window_of(topic, logical), [records[index].event for index in indices]
        if not window.take_all(events):
            for index, event in zip(indices, events, strict=True):
                found[index] = window.classify(event)
    return found


def _time_of(event: Event) -> int:
    occurred, recorded = occurred_at_ms(event), recorded_at_ms(event)
    # Asked last, because every field that is asked for costs a reader of the whole log: most are recorded later.
    return recorded if recorded < occurred and event.HasField("recorded_at") else occurred
