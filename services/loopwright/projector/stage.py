"""What both stages share: their interface, their counts, and the outlet of what they derive or set aside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from loopwright.eventlog import Event, EventLog, HasNow, Offsets, Record, Topic, Undecodable, set_aside
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger

_log = get_logger(__name__)
Entries = Sequence[tuple[bytes, Event]]
Append = Callable[[Topic, Entries], Awaitable[None]]


@dataclass(slots=True)
class Counts:
    """What a stage left out since it was made: repeated records, late ones, and repeated facts."""

    duplicates: int = 0
    late: int = 0
    repeated_facts: int = 0


class Aside(NamedTuple):
    """A record to be set aside, where, and why; `detail` holds no personal data."""

    topic: Topic
    record: Record | Undecodable
    reason: str
    detail: str = ""


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

    async def set_aside(self, asides: Sequence[Aside]) -> None:
        """Append records of one topic of set-aside records; a record set aside again has the same event id."""
        if asides:
            entries = [
                set_aside(record, reason, detail, clock=self.clock, producer=self.producer)
                for _, record, reason, detail in asides
            ]
            await self.append(asides[0].topic, entries)


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
    """Return an outlet that appends to the log, each batch within `timeout_s`.

    An append that was begun is seen to its end though its caller is cancelled: a stage that begins anew must find on
    the log all that was derived before, or it could come behind what is derived again.
    """

    async def append(topic: Topic, entries: Entries) -> None:
        if not entries:
            return
        task = asyncio.ensure_future(log.append_many(topic, entries, deadline=Deadline.after(timeout_s)))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if not task.cancelled() and task.exception() is not None:
                _log.warning("an append failed after its stage was cancelled", extra={"topic": topic.name})
            raise

    return Outlet(append, clock, log.producer, log.partitions)
