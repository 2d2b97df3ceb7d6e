"""The reader of the log in memory; `MemoryEventLog.reader` makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopwright.eventlog.decoding import decode, hand_over
from loopwright.eventlog.reading import Progress, gone
from loopwright.eventlog.types import Offsets, OnUndecodable, Record, Undecodable
from loopwright.telemetry import count, names

if TYPE_CHECKING:
    from loopwright.eventlog.memory import MemoryBroker


class MemoryReader:
    """An `EventReader` over a `MemoryBroker`."""

    def __init__(
        self,
        broker: MemoryBroker,
        places: list[tuple[str, int]],
        start: Offsets,
        stop: Offsets | None,
        max_records: int,
        on_undecodable: OnUndecodable | None,
    ) -> None:
        self._broker = broker
        self._progress = Progress(places, {place: broker.start(place) for place in places}, start, stop)
        self._topics = {topic for topic, _ in places}
        self._max_records = max_records
        self._on_undecodable = on_undecodable
        self._caught_up_at_ms: int | None = None

    async def read(self, timeout_s: float = 0.2) -> list[Record]:
        """See `EventReader.read`."""
        if self._progress.done():
            return []
        if not self._pending():
            await self._broker.changed(self._topics, timeout_s)
        records = self._take()
        if not self._pending():
            self._caught_up_at_ms = self._broker.wall_ms()
        return records

    def position(self) -> Offsets:
        """See `EventReader.position`."""
        return dict(self._progress.next)

    def done(self) -> bool:
        """See `EventReader.done`."""
        return self._progress.done()

    def seek(self, offsets: Offsets) -> None:
        """See `EventReader.seek`."""
        self._progress.seek(offsets)

    def caught_up_at_ms(self) -> int | None:
        """See `EventReader.caught_up_at_ms`."""
        return self._caught_up_at_ms

    def _pending(self) -> bool:
        return any(self._room(place) > 0 for place in self._progress.next)

    def _room(self, place: tuple[str, int]) -> int:
        end, limit = self._broker.end(place), self._progress.limit(place)
        return (end if limit is None else min(end, limit)) - self._progress.next[place]

    def _take(self) -> list[Record]:
        records: list[Record] = []
        moved: Offsets = {}
        for place, offset in self._progress.next.items():
            left = self._max_records - len(records)
            if left <= 0:
                break
            if self._room(place) <= 0:
                continue
            if offset < self._broker.start(place):
                raise gone(place, offset, self._broker.start(place))
            moved[place] = self._take_from(place, offset, left, records)
        self._progress.next.update(moved)
        return records

    def _take_from(self, place: tuple[str, int], offset: int, left: int, into: list[Record]) -> int:
        topic, partition = place
        limit = self._progress.limit(place)
        found = self._broker.fetch(place, offset, left)
        wanted = [stored for stored in found if limit is None or stored.offset < limit]
        for stored in wanted:
            read = decode(
                topic,
                partition,
                stored.offset,
                stored.key,
                stored.value,
                stored.traceparent,
                stored.log_time_ms,
            )
            if isinstance(read, Undecodable):
                hand_over(read, self._on_undecodable)
            elif read is not None:
                into.append(read)
        count(names.EVENTS_CONSUMED, len(wanted), topic=topic)
        if len(found) < left or len(wanted) < len(found):  # the partition, or what lies before its stop, is exhausted
            end = self._broker.end(place)
            return end if limit is None else min(end, limit)
        return found[-1].offset + 1
