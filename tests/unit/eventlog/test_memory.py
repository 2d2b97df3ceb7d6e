import asyncio

import pytest

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.domain.ids import event_id
from loopwright.eventlog import (
    CONTROL,
    ORGANIC,
    READINESS,
    Event,
    MemoryBroker,
    MemoryEventLog,
    OffsetGone,
    Record,
    make_event,
)
from loopwright.faults import LogUnavailable
from loopwright.lifecycle import FixedClock
from loopwright.rpc import Deadline

CLOCK = FixedClock(1_000)


def control(number: int) -> Event:
    return make_event(event_id(number), number, CLOCK, "ingest", clock_set=ClockSet(cause=str(number)))


async def filled(count: int, keys: int = 1) -> MemoryEventLog:
    log = MemoryEventLog(MemoryBroker(partitions=1), producer="ingest")
    entries = [(bytes([number % keys]), control(number)) for number in range(count)]
    await log.append_many(CONTROL, entries, deadline=Deadline.after(1))
    return log


async def read_all(log: MemoryEventLog, **kwargs: object) -> list[Record]:
    found: list[Record] = []
    async with log.reader([CONTROL], stop=await log.ends([CONTROL]), **kwargs) as reader:  # type: ignore[arg-type]
        while not reader.done():
            found += await reader.read()
    return found


async def test_compaction_keeps_the_newest_record_of_each_key_at_its_offset() -> None:
    log = await filled(10, keys=3)
    log.broker.compact(CONTROL)
    assert [record.offset for record in await read_all(log)] == [7, 8, 9]


async def test_a_stop_inside_a_compacted_gap_is_reached() -> None:
    log = await filled(10, keys=1)
    log.broker.compact(CONTROL)
    async with log.reader([CONTROL], stop={("control", 0): 5}) as reader:
        assert await reader.read(0.01) == []
        assert reader.done()


async def test_a_start_that_retention_has_deleted_is_refused_and_zero_means_earliest() -> None:
    log = await filled(10)
    log.broker.delete_before({("control", 0): 6})
    assert [record.offset for record in await read_all(log)] == [6, 7, 8, 9]
    assert len(await read_all(log, start={("control", 0): 0})) == 4
    with pytest.raises(OffsetGone):
        await read_all(log, start={("control", 0): 3})


async def test_retention_that_overtakes_a_reader_is_told() -> None:
    log = await filled(10)
    async with log.reader([CONTROL], max_records=2) as reader:
        await reader.read()
        log.broker.delete_before({("control", 0): 6})
        with pytest.raises(OffsetGone):
            await reader.read()


async def test_an_outage_fails_appends_and_ends() -> None:
    log = await filled(1)
    log.broker.outage = LogUnavailable()
    with pytest.raises(LogUnavailable):
        await log.append(CONTROL, b"k", control(1), deadline=Deadline.after(1))
    log.broker.outage = None
    await log.append(CONTROL, b"k", control(1), deadline=Deadline.after(1))
    assert len(log.broker.records(CONTROL)) == 2


async def test_a_waiting_reader_wakes_at_the_next_append() -> None:
    log = await filled(0)
    async with log.reader([CONTROL]) as reader:
        waiting = asyncio.ensure_future(reader.read(timeout_s=30))
        await asyncio.sleep(0)
        await log.append(CONTROL, b"k", control(1), deadline=Deadline.after(1))
        assert len(await waiting) == 1


async def test_readers_do_not_share_messages() -> None:
    log = await filled(1)
    [first], [second] = await read_all(log), await read_all(log)
    first.event.producer = "changed"
    assert second.event.producer == "ingest"


async def test_a_partition_that_is_not_read_cannot_be_moved() -> None:
    log = await filled(1)
    async with log.reader([CONTROL]) as reader:
        with pytest.raises(KeyError):
            reader.seek({("organic", 0): 1})


def test_partitions_divide_the_logical_ones() -> None:
    with pytest.raises(ValueError, match="does not divide"):
        MemoryBroker(partitions=6)


async def test_any_service_reports_readiness_and_only_its_writer_writes_another_topic() -> None:
    log = MemoryEventLog(producer="retrieval")
    assert ("organic", 0) in await log.ends([ORGANIC, READINESS])
    assert log.producer == "retrieval"
