"""What writers and readers of the log exchange: positions, records and the two interfaces `EventLog` and `EventReader`.

`KafkaEventLog` and `MemoryEventLog` implement them and pass one contract suite.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.eventlog.topics import Topic
from loopwright.rpc import Deadline

Offsets = dict[tuple[str, int], int]
"""(topic name without prefix, physical partition) -> next offset to read."""

UNDECODABLE = "UNDECODABLE"
UNKNOWN_PAYLOAD = "UNKNOWN_PAYLOAD"


class Position(NamedTuple):
    """Where a record lies in its topic."""

    partition: int
    offset: int


# Named tuples, not dataclasses: a replay makes a million of them, and a frozen dataclass costs four times as much.
class Record(NamedTuple):
    """One event as read.

    Attributes:
        topic: Topic name without the prefix.
        partition: Physical partition.
        offset: Offset in it.
        logical: Logical partition of the key, 0..63.
        key: The record's key.
        event: The decoded envelope; shared by all who get the record, so nobody changes it.
        value: The bytes it was decoded from.
        traceparent: W3C trace context of the writer, empty without one.
        log_time_ms: Wall time at which the broker appended it.
    """

    topic: str
    partition: int
    offset: int
    logical: int
    key: bytes
    event: Event
    value: bytes
    traceparent: str
    log_time_ms: int


class Undecodable(NamedTuple):
    """A record that this reader cannot use; `reason` is UNDECODABLE or UNKNOWN_PAYLOAD, the rest as in `Record`."""

    topic: str
    partition: int
    offset: int
    logical: int
    key: bytes
    value: bytes
    reason: str
    traceparent: str
    log_time_ms: int


class Encoded(NamedTuple):
    """An entry to append whose event is encoded already."""

    key: bytes
    value: bytes
    traceparent: str = ""


OnUndecodable = Callable[[Undecodable], None]


class EventReader(Protocol):
    """Reads assigned partitions by hand; keeps no marks but its position."""

    async def read(self, timeout_s: float = 0.2) -> list[Record]:
        """Return the next records, in offset order within each partition; [] on timeout or at `stop`.

        Raises:
            CorruptRecord: Bytes do not decode and there is no `on_undecodable`; the position did not move.
            UnknownPayload: The payload is unknown, may not be ignored, and there is no `on_undecodable`.
            OffsetGone: Retention has deleted the records at the position.
        """
        ...

    def position(self) -> Offsets:
        """Return the next offset of every assigned partition; gaps left by compaction are passed over."""
        ...

    def done(self) -> bool:
        """Say whether `stop` is reached in every partition; always False without a `stop`."""
        ...

    def seek(self, offsets: Offsets) -> None:
        """Move the named partitions."""
        ...

    def caught_up_at_ms(self) -> int | None:
        """Return the wall time at which the log last confirmed that nothing was left to read; None: not yet."""
        ...


class EventLog(Protocol):
    """The truth: append and read, never change."""

    @property
    def producer(self) -> str:
        """Name of the service that appends through this log."""
        ...

    @property
    def replica(self) -> str:
        """Name that every event appended through this log carries; empty when unknown."""
        ...

    @property
    def partitions(self) -> int:
        """Physical partitions N of every topic; divides 64."""
        ...

    @property
    def gather_s(self) -> float:
        """Seconds for which a patient tail lets records gather before it reads on."""
        ...

    async def append(self, topic: Topic, key: bytes, event: Event, *, deadline: Deadline) -> Position:
        """Append one event and return once it is acknowledged.

        Raises:
            AppendTimeout: Not acknowledged by the deadline; it may still land, so a retry keeps the event id.
            LogUnavailable: The log refused or cannot be reached.
            MessageTooLarge: The encoded event is above 1 MiB.
            WriterRefused: Another service writes this topic, or the topic does not carry this payload.
        """
        ...

    async def append_many(
        self, topic: Topic, entries: Sequence[tuple[bytes, Event]], *, deadline: Deadline
    ) -> list[Position]:
        """Append (key, event) pairs in batches, in order within each partition; all acknowledged, or raises."""
        ...

    async def append_encoded(self, topic: Topic, entries: Sequence[Encoded], *, deadline: Deadline) -> list[Position]:
        """Append entries that were encoded and checked before, as `append_many` does."""
        ...

    def reader(
        self,
        topics: Sequence[Topic],
        *,
        start: Offsets | None = None,
        stop: Offsets | None = None,
        partitions: Collection[int] | None = None,
        max_records: int = 2000,
        on_undecodable: OnUndecodable | None = None,
        aging: bool = False,
    ) -> AbstractAsyncContextManager[EventReader]:
        """Open a reader.

        Args:
            topics: What to read.
            start: Where to begin; a missing partition or offset 0 means the earliest record.
            stop: Where to end, exclusive; names every partition that is read.
            partitions: Physical partitions to read, by default all.
            max_records: Most records one `read` returns.
            on_undecodable: Gets what cannot be used; without it such a record raises.
            aging: Nobody asks when it last caught up, so the log is asked seldom while nothing comes.

        Raises:
            ValueError: `stop` leaves out a partition.
        """
        ...

    async def ends(self, topics: Sequence[Topic]) -> Offsets:
        """Return the offset after the last record of every partition.

        Raises:
            LogUnavailable: The log does not answer.
        """
        ...

    async def starts(self, topics: Sequence[Topic]) -> Offsets:
        """Return the first offset that retention has left of every partition.

        Raises:
            LogUnavailable: The log does not answer.
        """
        ...

    async def offsets_at(self, topic: Topic, wall_ms: int, partitions: Collection[int] | None = None) -> Offsets:
        """Return the first offset whose log time is at or after `wall_ms`, or the end.

        Raises:
            LogUnavailable: The log does not answer.
        """
        ...
