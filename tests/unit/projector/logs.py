"""A memory log with events on it, and the stages over it, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence

from tests.replay.synthetic import Entry, entries

from loopwright.eventlog import MemoryBroker, MemoryEventLog, Record, Topic
from loopwright.lifecycle import FixedClock
from loopwright.projector.stage import Outlet, Stage, log_outlet

CLOCK = FixedClock(1_800_000_000_000)


def log_of(appended: Sequence[Entry], broker: MemoryBroker | None = None) -> MemoryEventLog:
    broker = broker or MemoryBroker(4, wall_ms=CLOCK.wall_ms)
    for topic, key, event in appended:
        broker.inject(topic, key, event.SerializeToString())
    return MemoryEventLog(broker, producer="projector")


def some(count: int, seed: int = 11) -> list[Entry]:
    return list(entries(count, users=20, items=40, seed=seed))


def outlet_of(log: MemoryEventLog) -> Outlet:
    return log_outlet(log, CLOCK, 5.0)


async def read_all(log: MemoryEventLog, topics: Sequence[Topic], start: dict[tuple[str, int], int]) -> list[Record]:
    ends = await log.ends(topics)
    found: list[Record] = []
    async with log.reader(topics, start=start, stop=ends, max_records=100_000) as reader:
        while not reader.done():
            found += await reader.read()
    return found


async def fold_all(log: MemoryEventLog, stage: Stage, batch: int = 100) -> None:
    records = await read_all(log, stage.topics, await stage.load())
    for start in range(0, len(records), batch):
        await stage.apply(records[start : start + batch])
