"""What both stages share: their interface, what they count, and the outlet that appends what they derive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from loopwright.eventlog import Event, EventLog, HasNow, Offsets, Record, Topic
from loopwright.rpc import Deadline

Entries = Sequence[tuple[bytes, Event]]
Append = Callable[[Topic, Entries], Awaitable[None]]


@dataclass(slots=True)
class Counts:
    """What a stage left out since it was made: repeated records, late ones, and repeated facts."""

    duplicates: int = 0
    late: int = 0
    repeated_facts: int = 0


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where a stage's events go.

    Attributes:
        append: Appends (key, event) pairs to a topic and returns when all are acknowledged.
        clock: Mesh time, for the time of recording.
        producer: Name of the writer.
        physical: Physical partitions of every topic.
    """

    append: Append
    clock: HasNow
    producer: str
    physical: int


class Stage(Protocol):
    """A fold with its marks."""

    name: str
    topics: tuple[Topic, ...]
    counts: Counts

    async def load(self) -> Offsets:
        """Forget what is held in memory, read the marks, and return where to read on."""
        ...

    async def apply(self, records: Sequence[Record]) -> None:
        """Fold records read in offset order; those at or below the marks are dropped."""
        ...

    def highest(self) -> Offsets:
        """Return the highest mark in each physical partition: some records before it may not be folded yet."""
        ...

    async def sweep(self, position: Offsets) -> None:
        """Say that everything before `position` is folded."""
        ...


def log_outlet(log: EventLog, clock: HasNow, timeout_s: float) -> Outlet:
    """Return an outlet that appends to the log, each batch within `timeout_s`."""

    async def append(topic: Topic, entries: Entries) -> None:
        if entries:
            await log.append_many(topic, entries, deadline=Deadline.after(timeout_s))

    return Outlet(append, clock, log.producer, log.partitions)
