"""The reader over a double of the library's consumer that stops delivering, fails, or skips what compaction took."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, OffsetOutOfRangeError

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.eventlog import Event, OffsetGone, Offsets, Record
from loopwright.eventlog.kafka_reader import KafkaReader
from loopwright.eventlog.reading import Progress
from loopwright.eventlog.watchdog import Watchdog
from loopwright.faults import LogUnavailable
from loopwright.telemetry import METER, names

STUCK_AFTER_S = 15.0
PLACES = [("control", 0), ("control", 1)]


class Raw(NamedTuple):
    offset: int
    key: bytes
    value: bytes
    timestamp: int = 5
    headers: tuple[tuple[str, bytes], ...] = ()


class Broker:
    """Records by partition, the time, and how its consumers behave.

    Attributes:
        ends: Where the log says that partitions end; with a gap left by compaction, past the last record.
        silent: Partitions of which a consumer made before `healthy_from` hears nothing.
        away: No new connection and no answer to questions.
        error: Raised by the next poll.
    """

    def __init__(self) -> None:
        self.now = 1_000.0
        self.records: dict[int, list[Raw]] = {0: [], 1: []}
        self.ends: Offsets = {("control", 0): 0, ("control", 1): 0}
        self.silent: set[int] = set()
        self.cured_by_opening = True
        self.away = False
        self.error: Exception | None = None
        self.consumers: list[Consumer] = []
        self.asked = 0

    def append(self, partition: int) -> None:
        offset = self.ends["control", partition]
        value = Event(clock_set=ClockSet(cause=str(offset))).SerializeToString()
        self.records[partition].append(Raw(offset, b"k", value))
        self.ends["control", partition] = offset + 1

    async def connect(self) -> Any:
        if self.away:
            raise LogUnavailable()
        if self.consumers and self.cured_by_opening:
            self.silent = set()
        self.consumers.append(Consumer(self))
        return self.consumers[-1]

    async def asked_ends(self) -> Offsets:
        self.asked += 1
        if self.away:
            raise LogUnavailable()
        return dict(self.ends)


class Consumer:
    """What the reader uses of `AIOKafkaConsumer`; a poll takes its whole timeout when nothing comes."""

    def __init__(self, broker: Broker) -> None:
        self.broker, self.closed = broker, False
        self.at: dict[TopicPartition, int] = {}
        self.polled: dict[TopicPartition, int] = {}
        self.stopped: set[TopicPartition] = set()

    def assign(self, places: list[TopicPartition]) -> None:
        self.at = dict.fromkeys(places, 0)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.at[tp] = offset

    def paused(self) -> set[TopicPartition]:
        return set(self.stopped)

    def pause(self, *places: TopicPartition) -> None:
        self.stopped |= set(places)

    def resume(self, *places: TopicPartition) -> None:
        self.stopped -= set(places)

    async def getmany(self, *places: TopicPartition, timeout_ms: int, max_records: int) -> Any:
        await asyncio.sleep(0)
        self.broker.now += timeout_ms / 1000
        if self.broker.error is not None:
            error, self.broker.error = self.broker.error, None
            raise error
        found: dict[TopicPartition, list[Raw]] = {}
        left = max_records
        for tp in places:
            if tp.partition in self.broker.silent or self.broker.away:
                continue
            self.polled[tp] = round(self.broker.now * 1000)
            taken = [raw for raw in self.broker.records[tp.partition] if raw.offset >= self.at[tp]][:left]
            if taken:
                found[tp] = taken
                self.at[tp] = taken[-1].offset + 1
                left -= len(taken)
            if not left:
                break
        return found

    async def position(self, tp: TopicPartition) -> int:
        return self.at[tp]

    def highwater(self, tp: TopicPartition) -> int | None:
        return self.broker.ends["control", tp.partition] if tp in self.polled else None

    def last_poll_timestamp(self, tp: TopicPartition) -> int | None:
        return self.polled.get(tp)

    async def stop(self) -> None:
        self.closed = True


def reading(broker: Broker, *, stop: Offsets | None = None, max_records: int = 100) -> KafkaReader:
    starts = dict.fromkeys(PLACES, 0)
    return KafkaReader(
        broker.connect,
        broker.asked_ends,
        "x.",
        Progress(PLACES, starts, {}, stop),
        max_records,
        None,
        stuck_after_s=STUCK_AFTER_S,
        close_timeout_s=1.0,
        watchdog=Watchdog(PLACES, STUCK_AFTER_S, lambda: broker.now),
    )


async def read_for(reader: KafkaReader, broker: Broker, seconds: float, each: Callable[[], None] = lambda: None) -> Any:
    """Read for a time, going on after a log that is away; returns the records."""
    found: list[Record] = []
    until = broker.now + seconds
    while broker.now < until and not reader.done():
        each()
        try:
            found += await reader.read()
        except LogUnavailable:
            broker.now += 0.25
    return found


def reopened(reason: str = "STUCK") -> float:
    return METER.value(names.CONSUMER_REOPENED, topic="control", reason=reason) or 0


async def test_a_consumer_that_stops_delivering_is_replaced_at_its_position_and_nothing_is_read_twice() -> None:
    broker, before = Broker(), reopened()
    broker.append(0)
    async with reading(broker) as reader:
        first = await read_for(reader, broker, 2)
        broker.silent = {0, 1}
        for partition in (0, 0, 1):
            broker.append(partition)
        assert await read_for(reader, broker, STUCK_AFTER_S - 1) == []
        second = await read_for(reader, broker, 7)
    assert [(r.partition, r.offset) for r in first] == [(0, 0)]
    assert sorted((r.partition, r.offset) for r in second) == [(0, 1), (0, 2), (1, 0)]
    assert len(broker.consumers) == 2 and all(consumer.closed for consumer in broker.consumers)
    assert reopened() == before + 1


async def test_a_consumer_that_is_cut_off_at_the_end_of_the_log_is_replaced_too() -> None:
    broker = Broker()
    async with reading(broker) as reader:
        await read_for(reader, broker, 2)
        stale = reader.caught_up_at_ms()
        broker.silent = {0}
        await read_for(reader, broker, 10)
        assert stale is not None and (reader.caught_up_at_ms() or 0) < stale + 1_000
        await read_for(reader, broker, 12)
        assert (reader.caught_up_at_ms() or 0) > broker.now * 1000 - 1_000
    assert len(broker.consumers) == 2


async def test_one_silent_partition_is_found_while_the_other_delivers() -> None:
    broker = Broker()
    async with reading(broker) as reader:
        await read_for(reader, broker, 1)
        broker.silent = {1}
        broker.append(1)
        found = await read_for(reader, broker, 40, lambda: broker.append(0))
    assert (1, 0) in [(r.partition, r.offset) for r in found]
    assert len(broker.consumers) == 2


async def test_an_idle_log_is_never_asked_and_its_reader_stays() -> None:
    broker = Broker()
    broker.append(0)
    async with reading(broker) as reader:
        await read_for(reader, broker, 600)
    assert (len(broker.consumers), broker.asked) == (1, 0)


async def test_a_gap_left_by_compaction_at_the_very_end_does_not_reopen_for_ever() -> None:
    broker = Broker()
    broker.append(0)
    broker.ends["control", 0] = 5  # the log ends past its last record, and no answer will ever show the rest
    async with reading(broker) as reader:
        await read_for(reader, broker, 3_600)
    assert 2 < len(broker.consumers) < 15


async def test_a_log_that_answers_nobody_is_an_outage_and_no_reason_to_open_again() -> None:
    broker, before = Broker(), reopened()
    async with reading(broker) as reader:
        await read_for(reader, broker, 1)
        broker.away = True
        await read_for(reader, broker, 120)
        assert (len(broker.consumers), reopened()) == (1, before)
        broker.away = False
        broker.append(1)
        assert len(await read_for(reader, broker, 1)) == 1


async def test_a_consumer_that_stays_silent_after_an_outage_is_replaced_soon() -> None:
    broker = Broker()
    async with reading(broker) as reader:
        broker.away = True
        await read_for(reader, broker, 20)
        broker.away, broker.silent = False, {0, 1}
        broker.append(0)
        assert len(await read_for(reader, broker, 6)) == 1


async def test_a_consumer_that_fails_is_replaced_by_the_next_read() -> None:
    broker, before = Broker(), reopened("FAILED")
    async with reading(broker) as reader:
        broker.append(0)
        broker.error = KafkaConnectionError()
        with pytest.raises(LogUnavailable):
            await reader.read()
        assert broker.consumers[0].closed
        broker.away = True
        with pytest.raises(LogUnavailable):
            await reader.read()
        broker.away = False
        assert [record.offset for record in await reader.read()] == [0]
    assert reopened("FAILED") == before + 1


async def test_records_that_retention_deleted_are_said_to_be_gone() -> None:
    broker = Broker()
    async with reading(broker) as reader:
        broker.error = OffsetOutOfRangeError({TopicPartition("x.control", 1): 3})
        with pytest.raises(OffsetGone, match="control/1"):
            await reader.read()


async def test_partitions_that_are_read_to_their_stop_are_not_waited_for() -> None:
    broker = Broker()
    broker.append(0)
    async with reading(broker, stop={("control", 0): 1, ("control", 1): 2}) as reader:
        assert len(await read_for(reader, broker, 120, lambda: None)) == 1
        broker.append(1)
        broker.append(1)
        assert len(await read_for(reader, broker, 1)) == 2
        assert reader.done()
    assert len(broker.consumers) == 1


async def test_a_partition_that_got_no_turn_because_others_were_full_is_no_suspect() -> None:
    broker = Broker()
    broker.append(1)

    def more() -> None:
        broker.append(0)
        broker.append(0)

    async with reading(broker, max_records=2) as reader:
        await read_for(reader, broker, 60, more)
        assert len(broker.consumers) == 1
        assert reader.position()["control", 1] == 0
