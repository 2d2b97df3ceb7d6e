"""`DedupWindow` tells fresh facts from repeated and late ones; every fold keeps one per topic and logical partition.

It is stored with the fold's state, so a restart or a rebuild comes to the same answers.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from enum import Enum
from itertools import accumulate, islice, pairwise
from operator import attrgetter, lt
from typing import Self

import numpy as np
import numpy.typing as npt

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.ids import EVENT_BYTES, LOGICAL_PARTITIONS
from loopwright.eventlog.event_times import event_time, event_times
from loopwright.eventlog.types import Record
from loopwright.faults import CorruptRecord, PoisonEvent

DAY_MS = 86_400_000
_HEAD = struct.Struct("<4sqqqI")
_ENTRY = struct.Struct(f"<q{EVENT_BYTES}s")
_MAGIC = b"LWD1"
_BEGINNING = -(1 << 62)
_TOPIC, _LOGICAL = attrgetter("topic"), attrgetter("logical")
_EVENT, _IDENTITY = attrgetter("event"), attrgetter("event_id")


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
        # The same ids by (time, id), ascending from `_start` on; what lies before it is forgotten, and goes when it is
        # most of the lists. Two lists, not one of pairs, which would double what an event costs here.
        self._times: list[int] = []
        self._in_order: list[bytes] = []
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
        time_ms = event_time(event)
        if time_ms < self._horizon_ms:
            return Freshness.LATE
        ids = self._ids
        if identity in ids:
            return Freshness.DUPLICATE
        ids.add(identity)
        self._put(time_ms, identity)
        if time_ms - self._window_ms > self._horizon_ms:
            self._forget_before(time_ms - self._window_ms)
        if len(ids) > self._max_ids:
            self._forget_before(self._times[self._start] + 1)
        return Freshness.FRESH

    def fresh(self, events: Iterable[Event]) -> list[Event]:
        """Return the events that are FRESH, in their order."""
        return [event for event in events if self.classify(event) is Freshness.FRESH]

    def take_all(self, identities: Sequence[bytes], times: Sequence[int]) -> bool:
        """Remember all these events at once when `classify` would call each of them FRESH; else change nothing.

        A False only says that it takes `classify` to know.

        Args:
            identities: Their ids, at least one.
            times: Their places in time as `event_time` gives them, in milliseconds.
        """
        new = set(identities)
        if len(new) < len(identities) or not new.isdisjoint(self._ids) or set(map(len, new)) != {EVENT_BYTES}:
            return False
        ascending = all(map(lt, times, islice(times, 1, None)))
        newest_ms = times[-1] if ascending else max(times)
        if not ascending:
            newest_by_then = accumulate(times, max)
            if any(time_ms < then - self._window_ms for time_ms, then in zip(times, newest_by_then, strict=True)):
                return False
        if (times[0] if ascending else min(times)) < self._horizon_ms or len(self._ids) + len(new) > self._max_ids:
            return False
        self._ids |= new
        if ascending and (not self._times or self._times[-1] < times[0]):
            self._times += times
            self._in_order += identities
        else:
            for time_ms, identity in zip(times, identities, strict=True):
                self._put(time_ms, identity)
        self._forget_before(newest_ms - self._window_ms)
        return True

    def forget(self, identities: Collection[bytes]) -> None:
        """Forget events that turned out not to be folded, so that they are FRESH once they can be."""
        kept = [entry for entry in self._entries() if entry[1] not in identities]
        self._times, self._in_order = [time_ms for time_ms, _ in kept], [identity for _, identity in kept]
        self._start = 0
        self._ids.difference_update(identities)

    def encode(self) -> bytes:
        """Return the window as bytes; equal windows have equal bytes."""
        head = _HEAD.pack(_MAGIC, self._window_ms, self._max_ids, self._horizon_ms, len(self._ids))
        return head + b"".join(_ENTRY.pack(*entry) for entry in self._entries())

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
        entries = sorted(_ENTRY.iter_unpack(memoryview(data)[_HEAD.size :]))
        found._times, found._in_order = [time_ms for time_ms, _ in entries], [identity for _, identity in entries]
        found._ids = set(found._in_order)
        return found

    def _entries(self) -> Iterator[tuple[int, bytes]]:
        return islice(zip(self._times, self._in_order, strict=True), self._start, None)

    def _put(self, time_ms: int, identity: bytes) -> None:
        times = self._times
        place = len(times)
        if place > self._start and time_ms <= times[-1]:
            first = bisect_left(times, time_ms, self._start)
            place = bisect_left(self._in_order, identity, first, bisect_right(times, time_ms, first))
        times.insert(place, time_ms)
        self._in_order.insert(place, identity)

    def _forget_before(self, horizon_ms: int) -> None:
        if horizon_ms <= self._horizon_ms:
            return
        self._horizon_ms = horizon_ms
        end = bisect_left(self._times, horizon_ms, self._start)
        self._ids.difference_update(self._in_order[self._start : end])
        self._start = end
        if 2 * end > len(self._times):
            del self._times[:end], self._in_order[:end]
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
    order, bounds = _by_place(records)
    times = event_times(records)[order].tolist()
    indices: list[int] = order.tolist()
    identities = list(map(_IDENTITY, map(_EVENT, map(records.__getitem__, indices))))
    for start, end in pairwise(bounds):
        first = records[indices[start]]
        window = window_of(first.topic, first.logical)
        if not window.take_all(identities[start:end], times[start:end]):
            for index in indices[start:end]:
                found[index] = window.classify(records[index].event)
    return found


def _by_place(records: Sequence[Record]) -> tuple[npt.NDArray[np.int64], list[int]]:
    """Return the records' indices by topic and logical partition, in their order within each, and where each begins."""
    places = np.fromiter(map(_LOGICAL, records), np.int64, len(records))
    topics = list(map(_TOPIC, records))
    numbers = {topic: number * LOGICAL_PARTITIONS for number, topic in enumerate(dict.fromkeys(topics))}
    if len(numbers) > 1:
        places += np.fromiter(map(numbers.__getitem__, topics), np.int64, len(topics))
    order = np.argsort(places, kind="stable")
    ends = np.flatnonzero(np.diff(places[order], append=-1)) + 1
    return order, [0, *ends.tolist()]
