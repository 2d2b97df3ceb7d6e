import asyncio

import pytest

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.domain.ids import event_id
from loopwright.eventlog import CONTROL, MemoryBroker, MemoryEventLog, Record, Tail, make_event
from loopwright.eventlog.strays import StrayCancellation
from loopwright.faults import CorruptRecord, DeadlineExceeded, LogUnavailable
from loopwright.lifecycle import FixedClock
from loopwright.rpc import Deadline


async def add(log: MemoryEventLog, *numbers: int) -> None:
    clock = FixedClock(0)
    events = [make_event(event_id(n), n, clock, "ingest", clock_set=ClockSet(cause=str(n))) for n in numbers]
    await log.append_many(CONTROL, [(bytes([n % 5]), e) for n, e in enumerate(events)], deadline=Deadline.after(1))


def new_log() -> tuple[MemoryEventLog, FixedClock]:
    clock = FixedClock(1_000)
    return MemoryEventLog(MemoryBroker(partitions=2, wall_ms=clock.wall_ms), producer="ingest"), clock


async def test_a_tail_knows_how_old_its_state_may_be() -> None:
    log, clock = new_log()
    tail = Tail(log, [CONTROL], lambda record: None)
    assert tail.lag_s(clock.wall_ms()) == float("inf")
    await add(log, 1)
    async with tail:
        assert tail.caught_up_at_ms == 1_000
        assert tail.lag_s(3_500) == 2.5


async def test_undecodable_bytes_end_a_tail_that_does_not_ask_for_them() -> None:
    log, _ = new_log()
    async with Tail(log, [CONTROL], lambda record: None) as tail:
        log.broker.inject(CONTROL, b"k", b"\xff")
        with pytest.raises(CorruptRecord):
            await tail.wait()
    with pytest.raises(CorruptRecord):
        await Tail(log, [CONTROL], lambda record: None).start()


async def test_undecodable_bytes_pass_by_a_tail_that_asks_for_them() -> None:
    log, _ = new_log()
    aside: list[bytes] = []
    log.broker.inject(CONTROL, b"k", b"\xff")
    async with Tail(log, [CONTROL], lambda record: None, on_undecodable=lambda u: aside.append(u.value)):
        assert aside == [b"\xff"]


async def test_a_tail_of_chosen_partitions_waits_for_those_alone() -> None:
    log, _ = new_log()
    await add(log, *range(20))
    seen: list[Record] = []
    async with Tail(log, [CONTROL], seen.append, partitions=[1]) as tail:
        assert {record.partition for record in seen} == {1}
        assert set(tail.position()) == {("control", 1)}


async def test_reaching_offsets_that_never_come_ends_at_the_deadline() -> None:
    log, _ = new_log()
    async with Tail(log, [CONTROL], lambda record: None) as tail:
        with pytest.raises(DeadlineExceeded):
            await tail.reached({("control", 0): 5}, Deadline.after(0.01))
    with pytest.raises(LogUnavailable, match="stopped"):
        await tail.reached({("control", 0): 5}, Deadline.after(1))


async def test_more_records_than_a_slice_are_applied_in_order() -> None:
    log, _ = new_log()
    await add(log, *range(1_000))
    seen: list[Record] = []
    async with Tail(log, [CONTROL], seen.append):
        for partition in (0, 1):
            offsets = [record.offset for record in seen if record.partition == partition]
            assert offsets == list(range(len(offsets)))
        assert len(seen) == 1_000


async def test_an_aging_tail_is_told_what_comes_like_any_other() -> None:
    log, _ = new_log()
    seen: list[int] = []
    async with Tail(log, [CONTROL], lambda record: seen.append(record.offset), aging=True) as tail:
        await add(log, 1, 2)
        await tail.reached(await log.ends([CONTROL]), Deadline.after(5))
    assert len(seen) == 2


async def test_a_cancellation_from_inside_is_told_to_whoever_waits() -> None:
    def stray(record: Record) -> None:
        raise asyncio.CancelledError

    log, _ = new_log()
    async with Tail(log, [CONTROL], stray) as tail:
        await add(log, 1)
        with pytest.raises(StrayCancellation):
            await tail.wait()
