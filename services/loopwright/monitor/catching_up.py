"""Folds what is on the log at a start, a day at a time over all topics together, so that memory holds days, not all.

A reader goes through one topic faster than through another; without the steps all decisions could be read before the
first report on any of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from loopwright.eventlog import EventLog, Offsets, OnUndecodable, Record, Topic
from loopwright.monitor.strays import DAY_MS
from loopwright.telemetry import processing

MOST_STEPS = 400
"""Days that the log keeps decisions for; what is older, if anything, is in the first step."""
_SLICE = 256
"""Records applied before other tasks get the loop."""


async def catch_up(
    log: EventLog,
    topics: Sequence[Topic],
    apply: Callable[[Record], None],
    after_step: Callable[[], None],
    *,
    wall_ms: int,
    on_undecodable: OnUndecodable,
) -> Offsets:
    """Fold everything that is on the log at the call; return where to read on.

    Args:
        log: Where to read.
        topics: What to read.
        apply: The fold.
        after_step: Called when all topics are folded to the same moment of log time.
        wall_ms: Wall time now.
        on_undecodable: Gets what cannot be decoded.

    Raises:
        LogUnavailable: The log does not answer.
    """
    reached = await log.starts(topics)
    for stop in await _steps(log, topics, reached, wall_ms):
        if all(stop[place] <= offset for place, offset in reached.items()):
            continue
        async with log.reader(topics, start=reached, stop=stop, on_undecodable=on_undecodable) as reader:
            while not reader.done():
                await _fold(await reader.read(), apply)
        reached = stop
        after_step()
    return reached


async def _fold(records: Sequence[Record], apply: Callable[[Record], None]) -> None:
    with processing(records):
        for index, record in enumerate(records, 1):
            apply(record)
            if index % _SLICE == 0:
                await asyncio.sleep(0)


async def _steps(log: EventLog, topics: Sequence[Topic], starts: Offsets, wall_ms: int) -> list[Offsets]:
    """Return the offsets of every day back to the log's start, oldest first, and its ends."""
    steps = [await log.ends(topics)]
    while steps[-1] != starts and len(steps) < MOST_STEPS:
        at = wall_ms - len(steps) * DAY_MS
        found: Offsets = {}
        for topic in topics:
            found |= await log.offsets_at(topic, at)
        # Log times of a partition need not rise from record to record; the steps must.
        steps.append({place: max(starts[place], min(found[place], later)) for place, later in steps[-1].items()})
    return steps[::-1]
