"""What every implementation of `EventLog` promises; run on a real broker and in memory.

The broker is shared, so each test reads from the ends it found.
"""

from __future__ import annotations

import pytest

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.api.events.v1.feedback_pb2 import OrganicInteraction
from loopwright.domain.ids import event_id, logical_partition
from loopwright.eventlog import (
    CONTROL,
    DECISIONS,
    HEALTH,
    MESH_KEY,
    ORGANIC,
    PROFILES,
    Encoded,
    Event,
    EventLog,
    Offsets,
    Record,
    Tail,
    Topic,
    Undecodable,
    WriterRefused,
    covers,
    make_event,
    offsets_from_json,
    offsets_to_json,
    replay,
    replay_ordered,
    wall_now_ms,
    window,
)
from loopwright.faults import AppendTimeout, CorruptRecord, DeadlineExceeded, MessageTooLarge, UnknownPayload
from loopwright.lifecycle import FixedClock
from loopwright.rpc import Deadline
from tests.contract.conftest import OpenLog

pytestmark = pytest.mark.integration
CLOCK = FixedClock(1_700_000_000_000)


def soon() -> Deadline:
    return Deadline.after(10)


def organic(number: int, at_ms: int = 1_700_000_000_000) -> Event:
    said = OrganicInteraction(subject=b"s" * 16, item_id=number, value=1.0)
    identity = event_id("test", number, at_ms)
    return make_event(identity, at_ms, CLOCK, "ingest", client_event_id=str(number), organic_interaction=said)


def keyed(count: int) -> list[tuple[bytes, Event]]:
    return [(number.to_bytes(16, "big"), organic(number)) for number in range(count)]


async def everything(log: EventLog, topic: Topic, start: Offsets, stop: Offsets | None = None) -> list[Record]:
    stop = stop or await log.ends([topic])
    found: list[Record] = []
    async with log.reader([topic], start=start, stop=stop) as reader:
        while not reader.done():
            found += await reader.read()
        assert reader.position() == stop
    return found


async def test_an_appended_event_is_read_back_with_its_place_and_key(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    before = wall_now_ms()
    position = await log.append(ORGANIC, b"k" * 16, organic(1), deadline=soon())
    [record] = await everything(log, ORGANIC, start)
    assert record.event == organic(1)
    assert record.value == organic(1).SerializeToString()
    assert (record.topic, record.partition, record.offset) == ("organic", position.partition, position.offset)
    assert record.key == b"k" * 16
    assert record.logical == logical_partition(b"k" * 16)
    assert record.partition == record.logical % log.partitions
    assert before - 1000 <= record.log_time_ms <= wall_now_ms() + 1000


async def test_records_of_one_key_keep_their_order_in_bulk_and_one_by_one(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    entries = [(b"%016d" % (number % 7), organic(number)) for number in range(500)]
    positions = await log.append_many(ORGANIC, entries, deadline=soon())
    records = await everything(log, ORGANIC, start)
    for key in {key for key, _ in entries}:
        sent = [event.organic_interaction.item_id for k, event in entries if k == key]
        assert [r.event.organic_interaction.item_id for r in records if r.key == key] == sent
    by_place = {(r.partition, r.offset): r.value for r in records}
    assert [by_place[p] for p in positions] == [event.SerializeToString() for _, event in entries]


async def test_a_reader_stops_exactly_at_its_stop(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    await log.append_many(ORGANIC, keyed(100), deadline=soon())
    stop = await log.ends([ORGANIC])
    await log.append_many(ORGANIC, keyed(100), deadline=soon())
    assert len(await everything(log, ORGANIC, start, stop)) == 100
    halfway = {place: start[place] + (end - start[place]) // 2 for place, end in stop.items()}
    records = await everything(log, ORGANIC, start, halfway)
    assert {place: sum(r.partition == place[1] for r in records) for place in halfway} == {
        place: halfway[place] - start[place] for place in halfway
    }


async def test_a_reader_at_its_stop_is_done_and_reads_nothing(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    ends = await log.ends([ORGANIC])
    async with log.reader([ORGANIC], start=ends, stop=ends) as reader:
        assert reader.done()
        assert await reader.read() == []


async def test_a_stop_that_leaves_out_a_partition_is_refused(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    with pytest.raises(ValueError, match="stop leaves out"):
        async with log.reader([ORGANIC], stop={("organic", 0): 1}):
            pass


async def test_a_reader_returns_at_most_max_records(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    await log.append_many(ORGANIC, keyed(50), deadline=soon())
    sizes = []
    async with log.reader([ORGANIC], start=start, stop=await log.ends([ORGANIC]), max_records=7) as reader:
        while not reader.done():
            sizes.append(len(await reader.read()))
    assert sum(sizes) == 50
    assert max(sizes) == 7


async def test_an_idle_reader_returns_nothing_and_knows_that_it_is_caught_up(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    await log.append(ORGANIC, b"k" * 16, organic(1), deadline=soon())
    async with log.reader([ORGANIC], start=await log.ends([ORGANIC])) as reader:
        before = wall_now_ms()
        for _ in range(20):
            assert await reader.read() == []
            if (reader.caught_up_at_ms() or 0) >= before:
                break
        assert (reader.caught_up_at_ms() or 0) >= before
        assert not reader.done()


async def test_a_reader_can_go_back(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    await log.append_many(ORGANIC, keyed(20), deadline=soon())
    async with log.reader([ORGANIC], start=start, stop=await log.ends([ORGANIC])) as reader:
        first: list[Record] = []
        while not reader.done():
            first += await reader.read()
        reader.seek(start)
        again: list[Record] = []
        while not reader.done():
            again += await reader.read()
    assert sorted(first) == sorted(again)


async def test_chosen_partitions_are_read_alone(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    await log.append_many(ORGANIC, keyed(40), deadline=soon())
    async with log.reader([ORGANIC], start=start, stop=await log.ends([ORGANIC]), partitions=[1, 3]) as reader:
        records = []
        while not reader.done():
            records += await reader.read()
        assert set(reader.position()) == {("organic", 1), ("organic", 3)}
    assert {record.partition for record in records} == {1, 3}


async def test_offsets_at_a_time_are_those_of_the_first_record_appended_then(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    ends = await log.ends([ORGANIC])
    await log.append_many(ORGANIC, keyed(10), deadline=soon())
    records = await everything(log, ORGANIC, ends)
    at = records[0].log_time_ms
    expected = min(r.offset for r in records if r.partition == records[0].partition and r.log_time_ms >= at)
    found = await log.offsets_at(ORGANIC, at, [records[0].partition])
    assert found[("organic", records[0].partition)] <= expected
    future = await log.offsets_at(ORGANIC, wall_now_ms() + 3_600_000)
    assert future == await log.ends([ORGANIC])


async def test_only_the_writer_of_a_topic_may_append(open_log: OpenLog) -> None:
    log = await open_log("retrieval")
    with pytest.raises(WriterRefused):
        await log.append(ORGANIC, b"k", organic(1), deadline=soon())
    with pytest.raises(WriterRefused):
        await log.append_many(ORGANIC, keyed(1), deadline=soon())
    with pytest.raises(WriterRefused):
        await log.append_encoded(ORGANIC, [Encoded(b"k", b"v")], deadline=soon())


async def test_a_topic_carries_its_own_payloads_only(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    with pytest.raises(WriterRefused, match="does not carry"):
        await log.append(PROFILES, b"k", organic(1), deadline=soon())


async def test_an_event_above_the_limit_is_refused(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    big = make_event(event_id("big"), 0, CLOCK, "ingest", clock_set=ClockSet(cause="x" * (1024 * 1024)))
    with pytest.raises(MessageTooLarge):
        await log.append(CONTROL, MESH_KEY, big, deadline=soon())


async def test_the_largest_event_that_is_allowed_is_read_back(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([CONTROL])
    cause = "".join(chr(33 + (i * i + i // 7) % 90) for i in range(1_040_000))
    big = make_event(event_id("big"), 0, CLOCK, "ingest", clock_set=ClockSet(cause=cause))
    await log.append(CONTROL, MESH_KEY, big, deadline=soon())
    [record] = await everything(log, CONTROL, start)
    assert record.event.clock_set.cause == cause


async def test_an_append_after_its_deadline_fails(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    with pytest.raises(AppendTimeout):
        await log.append(ORGANIC, b"k" * 16, organic(1), deadline=Deadline.after(0))


async def test_undecodable_bytes_stop_the_reader_and_leave_its_position(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    await log.append_encoded(ORGANIC, [Encoded(b"k", b"\xff\xff\xff")], deadline=soon())
    async with log.reader([ORGANIC], start=start, stop=await log.ends([ORGANIC])) as reader:
        for _ in range(2):
            with pytest.raises(CorruptRecord):
                while not reader.done():
                    await reader.read()
            assert reader.position() == start


async def test_undecodable_bytes_go_to_the_callback_with_their_place(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    entries = [Encoded(b"k", b"\xff\xff\xff"), Encoded(b"k", organic(2).SerializeToString())]
    [bad, good] = await log.append_encoded(ORGANIC, entries, deadline=soon())
    aside: list[Undecodable] = []
    stop = await log.ends([ORGANIC])
    async with log.reader([ORGANIC], start=start, stop=stop, on_undecodable=aside.append) as reader:
        records = []
        while not reader.done():
            records += await reader.read()
    assert [(r.partition, r.offset) for r in records] == [good]
    assert [(u.partition, u.offset, u.value, u.reason) for u in aside] == [(*bad, b"\xff\xff\xff", "UNDECODABLE")]


async def test_unknown_event_stops_the_reader_unless_it_may_be_ignored(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    unknown = Event(event_id=b"x" * 16, may_ignore=True).SerializeToString()
    await log.append_encoded(ORGANIC, [Encoded(b"k", unknown)], deadline=soon())
    assert await everything(log, ORGANIC, start) == []
    start = await log.ends([ORGANIC])
    unknown = Event(event_id=b"x" * 16).SerializeToString()
    await log.append_encoded(ORGANIC, [Encoded(b"k", unknown)], deadline=soon())
    with pytest.raises(UnknownPayload):
        await everything(log, ORGANIC, start)


async def test_a_tail_catches_up_follows_and_stops(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    await log.append_many(ORGANIC, keyed(30), deadline=soon())
    seen: list[int] = []
    batches: list[int] = []
    tail = Tail(
        log,
        [ORGANIC],
        lambda record: seen.append(record.offset),
        start=start,
        after_batch=lambda: batches.append(len(seen)),
    )
    await tail.start(soon())
    assert len(seen) == 30
    await log.append_many(ORGANIC, keyed(5), deadline=soon())
    ends = await log.ends([ORGANIC])
    await tail.reached(ends, soon())
    assert len(seen) == 35
    assert batches[-1] == 35
    assert covers(tail.position(), ends)
    await tail.stop()
    await tail.wait()
    assert tail.failure is None
    with pytest.raises(DeadlineExceeded):
        await Tail(log, [ORGANIC], seen.append).start(Deadline.after(0))  # type: ignore[arg-type]


async def test_a_fold_that_fails_ends_its_tail_and_says_why(open_log: OpenLog) -> None:
    log = await open_log("ingest")

    def broken(record: Record) -> None:
        raise ZeroDivisionError

    tail = Tail(log, [ORGANIC], broken, start=await log.ends([ORGANIC]))
    await tail.start()
    await log.append(ORGANIC, b"k" * 16, organic(1), deadline=soon())
    with pytest.raises(ZeroDivisionError):
        await tail.wait()
    assert isinstance(tail.failure, ZeroDivisionError)
    await tail.stop()


async def test_two_replays_are_the_same_whatever_the_batch(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC, CONTROL])
    await log.append_many(ORGANIC, keyed(60), deadline=soon())
    await log.append(CONTROL, MESH_KEY, make_event(event_id("c"), 0, CLOCK, "i", clock_set=ClockSet()), deadline=soon())
    stop = await log.ends([ORGANIC, CONTROL])
    runs = []
    for size in (1, 1000):
        batches = replay(log, [CONTROL, ORGANIC], start=start, stop=stop, max_records=size)
        runs.append([record async for batch in batches for record in batch])
    assert runs[0] == runs[1]
    assert [r.topic for r in runs[0]] == ["control"] + ["organic"] * 60


async def test_an_ordered_replay_is_in_event_time(open_log: OpenLog) -> None:
    log = await open_log("ingest")
    start = await log.ends([ORGANIC])
    times = [(number * 7919) % 1000 for number in range(100)]
    entries = [(n.to_bytes(16, "big"), organic(n, at_ms)) for n, at_ms in enumerate(times)]
    await log.append_many(ORGANIC, entries, deadline=soon())
    whole = await window(log, [ORGANIC], start=start)
    records = await replay_ordered(log, [ORGANIC], start=whole.start, stop=whole.stop)
    assert [times[r.event.organic_interaction.item_id] for r in records] == sorted(times)


async def test_an_empty_topic_has_equal_starts_and_ends(open_log: OpenLog) -> None:
    log = await open_log("monitor")
    assert await log.starts([HEALTH]) == await log.ends([HEALTH])
    assert len(await log.ends([HEALTH, DECISIONS])) == 2 * log.partitions
    assert offsets_from_json(offsets_to_json(await log.ends([HEALTH]))) == await log.ends([HEALTH])


async def test_two_logs_share_their_records(open_log: OpenLog) -> None:
    writer, other = await open_log("ingest"), await open_log("projector")
    start = await other.ends([ORGANIC])
    await writer.append(ORGANIC, b"k" * 16, organic(5), deadline=soon())
    [record] = await everything(other, ORGANIC, start)
    assert record.event == organic(5)
