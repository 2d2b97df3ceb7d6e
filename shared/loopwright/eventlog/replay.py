"""Closed windows of the log, read in an order that is the same every time: for training, rebuilds and verification."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from loopwright.eventlog.envelope import order_key
from loopwright.eventlog.topics import Topic
from loopwright.eventlog.types import EventLog, Offsets, OnUndecodable, Record


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open range of offsets of every partition of some topics."""

    start: Offsets
    stop: Offsets


async def window(log: EventLog, topics: Sequence[Topic], *, start: Offsets | None = None) -> Window:
    """Return the window from `start` (by default all that is kept) to the present ends.

    Raises:
        LogUnavailable: The log does not answer.
    """
    firsts = await log.starts(topics)
    return Window(
        {place: max(first, (start or {}).get(place, 0)) for place, first in firsts.items()}, await log.ends(topics)
    )


async def replay(
    log: EventLog,
    topics: Sequence[Topic],
    *,
    start: Offsets | None = None,
    stop: Offsets | None = None,
    on_undecodable: OnUndecodable | None = None,
    max_records: int = 2000,
) -> AsyncIterator[list[Record]]:
    """Yield batches topic by topic as given, partition by partition, in offset order: two replays are the same.

    Args:
        log: Where to read.
        topics: What to read, in this order.
        start: Where to begin, by default at the earliest record.
        stop: Where to end, exclusive, by default at the present ends; names every partition of the topics.
        on_undecodable: As in `EventLog.reader`.
        max_records: Most records of a batch.

    Raises:
        ValueError: `stop` leaves out a partition.
        OffsetGone: Retention has deleted what `start` names.
    """
    ends = stop if stop is not None else await log.ends(topics)
    begun = await log.starts(topics) | (start or {})
    for topic in topics:
        for partition in range(log.partitions):
            place = (topic.name, partition)
            if place in ends and begun[place] >= ends[place]:
                continue  # nothing to read: not worth a connection
            async with log.reader(
                [topic],
                start=start,
                stop=ends,
                partitions=[partition],
                max_records=max_records,
                on_undecodable=on_undecodable,
            ) as reader:
                while not reader.done():
                    if records := await reader.read():
                        yield records


async def replay_ordered(
    log: EventLog,
    topics: Sequence[Topic],
    *,
    start: Offsets | None = None,
    stop: Offsets | None = None,
    on_undecodable: OnUndecodable | None = None,
) -> list[Record]:
    """Return a whole window in memory, ordered by (time, client's id, event id); equal keys keep the log's order."""
    batches = replay(log, topics, start=start, stop=stop, on_undecodable=on_undecodable)
    records = [record async for batch in batches for record in batch]
    return sorted(records, key=lambda record: order_key(record.event))
