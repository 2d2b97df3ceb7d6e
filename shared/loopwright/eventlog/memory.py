"""The event log in memory: for unit tests, the one-process composition and fast simulation.

It passes the same contract suite as `KafkaEventLog`. One `MemoryBroker` stands for the cluster; each service gets its
own `MemoryEventLog` on it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.ids import LOGICAL_PARTITIONS, logical_partition, physical_partition
from loopwright.eventlog.appending import check_writer, encode, sending
from loopwright.eventlog.memory_reader import MemoryReader
from loopwright.eventlog.topics import Topic
from loopwright.eventlog.types import Encoded, EventReader, Offsets, OnUndecodable, Position
from loopwright.eventlog.wall import WallClock, wall_now_ms
from loopwright.faults import AppendTimeout, Fault
from loopwright.rpc import Deadline


class Stored(NamedTuple):
    """A record as it lies in the log: bytes, never a shared message."""

    offset: int
    key: bytes
    value: bytes
    traceparent: str
    log_time_ms: int


class MemoryBroker:
    """The records of all topics.

    Attributes:
        partitions: Physical partitions of every topic.
        outage: When set, every append raises it.
    """

    def __init__(self, partitions: int = 4, wall_ms: WallClock = wall_now_ms) -> None:
        if partitions < 1 or LOGICAL_PARTITIONS % partitions:
            raise ValueError(f"{partitions} does not divide {LOGICAL_PARTITIONS}")
        self.partitions = partitions
        self.outage: Fault | None = None
        self.wall_ms = wall_ms
        self._records: dict[tuple[str, int], list[Stored]] = {}
        self._ends: Offsets = {}
        self._starts: Offsets = {}
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}  # by topic

    def append(self, topic: str, entry: Encoded) -> Position:
        """Append one entry to the partition of its key."""
        partition = physical_partition(logical_partition(entry.key), self.partitions)
        place = (topic, partition)
        offset = self._ends.get(place, 0)
        records = self._records.setdefault(place, [])
        # Log time never falls within a partition, as a broker guarantees for LogAppendTime.
        log_time = max(self.wall_ms(), records[-1].log_time_ms if records else 0)
        records.append(Stored(offset, entry.key, entry.value, entry.traceparent, log_time))
        self._ends[place] = offset + 1
        for waiter in self._waiters.get(topic, ()):
            if not waiter.done():
                waiter.set_result(None)
        return Position(partition, offset)

    def inject(self, topic: Topic, key: bytes, value: bytes) -> Position:
        """Append raw bytes past every check, as a faulty or newer writer would."""
        return self.append(topic.name, Encoded(key, value))

    def compact(self, topic: Topic) -> None:
        """Keep the newest record of each key, as the log cleaner does; offsets stay."""
        for partition in range(self.partitions):
            records = self._records.get((topic.name, partition), [])
            newest = {record.key: record.offset for record in records}
            self._records[topic.name, partition] = [r for r in records if newest[r.key] == r.offset]

    def delete_before(self, offsets: Offsets) -> None:
        """Delete older records, as retention does."""
        for place, offset in offsets.items():
            self._records[place] = [r for r in self._records.get(place, []) if r.offset >= offset]
            self._starts[place] = max(self.start(place), min(offset, self.end(place)))

    def records(self, topic: Topic) -> list[Event]:
        """Return all events of a topic, by partition and offset."""
        places = ((topic.name, partition) for partition in range(self.partitions))
        return [Event.FromString(record.value) for place in places for record in self._records.get(place, [])]

    def end(self, place: tuple[str, int]) -> int:
        """Return the offset after the last record."""
        return self._ends.get(place, 0)

    def start(self, place: tuple[str, int]) -> int:
        """Return the first offset left."""
        return self._starts.get(place, 0)

    def at(self, place: tuple[str, int], wall_ms: int) -> int:
        """Return the first offset appended at or after `wall_ms`, or the end."""
        records = self._records.get(place, [])
        index = bisect_left(records, wall_ms, key=lambda record: record.log_time_ms)
        return records[index].offset if index < len(records) else self.end(place)

    def fetch(self, place: tuple[str, int], offset: int, limit: int) -> list[Stored]:
        """Return up to `limit` records from `offset` on."""
        records = self._records.get(place, [])
        index = bisect_left(records, offset, key=lambda record: record.offset)
        return records[index : index + limit]

    async def changed(self, topics: Collection[str], timeout_s: float) -> None:
        """Wait for the next append to one of the topics, at most `timeout_s`."""
        waiter = asyncio.get_running_loop().create_future()
        for topic in topics:
            self._waiters.setdefault(topic, set()).add(waiter)
        try:
            await asyncio.wait([waiter], timeout=timeout_s)
        finally:
            for topic in topics:
                self._waiters[topic].discard(waiter)
            waiter.cancel()


class MemoryEventLog:
    """An `EventLog` over a `MemoryBroker`."""

    def __init__(self, broker: MemoryBroker | None = None, *, producer: str, replica: str = "") -> None:
        self.broker = broker or MemoryBroker()
        self._producer = producer
        self._replica = replica

    @property
    def producer(self) -> str:
        """Name of the service that appends."""
        return self._producer

    @property
    def replica(self) -> str:
        """Name that every appended event carries."""
        return self._replica

    @property
    def partitions(self) -> int:
        """Physical partitions of every topic."""
        return self.broker.partitions

    @property
    def gather_s(self) -> float:
        """See `EventLog.gather_s`."""
        return 0.0

    async def append(self, topic: Topic, key: bytes, event: Event, *, deadline: Deadline) -> Position:
        """See `EventLog.append`."""
        return (await self.append_many(topic, [(key, event)], deadline=deadline))[0]

    async def append_many(
        self, topic: Topic, entries: Sequence[tuple[bytes, Event]], *, deadline: Deadline
    ) -> list[Position]:
        """See `EventLog.append_many`."""
        check_writer(topic, self._producer)
        with sending(topic, len(entries)) as traceparent:
            return await self._append(topic, encode(topic, entries, traceparent, self._replica), deadline)

    async def append_encoded(self, topic: Topic, entries: Sequence[Encoded], *, deadline: Deadline) -> list[Position]:
        """See `EventLog.append_encoded`."""
        check_writer(topic, self._producer)
        with sending(topic, len(entries)):
            return await self._append(topic, entries, deadline)

    async def _append(self, topic: Topic, entries: Sequence[Encoded], deadline: Deadline) -> list[Position]:
        await asyncio.sleep(0)  # an append always yields, as it does on a network
        if self.broker.outage is not None:
            raise self.broker.outage
        if deadline.expired:
            raise AppendTimeout()
        return [self.broker.append(topic.name, entry) for entry in entries]

    @asynccontextmanager
    async def reader(
        self,
        topics: Sequence[Topic],
        *,
        start: Offsets | None = None,
        stop: Offsets | None = None,
        partitions: Collection[int] | None = None,
        max_records: int = 2000,
        on_undecodable: OnUndecodable | None = None,
        aging: bool = False,
    ) -> AsyncIterator[EventReader]:
        """See `EventLog.reader`."""
        places = self._places(topics, partitions)
        yield MemoryReader(self.broker, places, start or {}, stop, max_records, on_undecodable)

    async def ends(self, topics: Sequence[Topic]) -> Offsets:
        """See `EventLog.ends`."""
        return {place: self.broker.end(place) for place in self._places(topics, None)}

    async def starts(self, topics: Sequence[Topic]) -> Offsets:
        """See `EventLog.starts`."""
        return {place: self.broker.start(place) for place in self._places(topics, None)}

    async def offsets_at(self, topic: Topic, wall_ms: int, partitions: Collection[int] | None = None) -> Offsets:
        """See `EventLog.offsets_at`."""
        return {place: self.broker.at(place, wall_ms) for place in self._places([topic], partitions)}

    def _places(self, topics: Sequence[Topic], partitions: Collection[int] | None) -> list[tuple[str, int]]:
        chosen = sorted(partitions) if partitions is not None else range(self.partitions)
        return [(topic.name, partition) for topic in topics for partition in chosen]
