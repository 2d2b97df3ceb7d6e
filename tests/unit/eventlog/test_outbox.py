import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.eventlog import Encoded, Outbox, OutboxSettings, Worth
from loopwright.eventlog.memory_disk import MemoryDisk
from loopwright.eventlog.outbox_records import Waiting, frame, scan, unframe
from loopwright.faults import AppendTimeout, Conflict, OutboxFull
from loopwright.rpc import Deadline
from loopwright.telemetry import METER, names

QUICK = OutboxSettings(commit_interval_s=0)


def box(disk: MemoryDisk, limits: OutboxSettings = QUICK, wall_ms: int = 1_000) -> Outbox:
    return Outbox(disk, 4, limits, lambda: wall_ms)


def entry(number: int, size: int = 20) -> Encoded:
    return Encoded(number.to_bytes(16, "big"), bytes([number % 256]) * size, "00-trace-01")


async def store(outbox: Outbox, *numbers: int) -> None:
    for number in numbers:
        await outbox.append("decisions", entry(number), deadline=Deadline.after(5))


async def contents(outbox: Outbox) -> list[Encoded]:
    found = []
    for lane in outbox.waiting_lanes():
        found += await outbox.oldest(lane, records=10_000, size=1 << 30)
    return found


entries = st.builds(
    Waiting,
    st.integers(0, 10**13),
    st.sampled_from(["decisions", "actions"]),
    st.builds(Encoded, st.binary(max_size=20), st.binary(max_size=300), st.sampled_from(["", "00-a-b-01"])),
)


@given(entries)
def test_a_record_survives_its_frame(waiting: Waiting) -> None:
    assert unframe(frame(waiting)) == waiting


@given(entries, st.data())
def test_a_changed_byte_is_noticed(waiting: Waiting, data: st.DataObject) -> None:
    record = bytearray(frame(waiting))
    place = data.draw(st.integers(0, len(record) - 1))
    record[place] ^= data.draw(st.integers(1, 255))
    assert unframe(bytes(record)) is None


@given(st.lists(entries, max_size=8), st.data())
def test_a_scan_of_a_cut_file_finds_every_whole_record_and_nothing_else(
    written: list[Waiting], data: st.DataObject
) -> None:
    whole = b"".join(frame(waiting) for waiting in written)
    cut = data.draw(st.integers(0, len(whole)))
    found = list(scan(MemoryDisk(whole[:cut]), 0))
    assert [waiting for _, _, waiting in found] == written[: len(found)]
    left = len(whole[:cut]) - sum(size for _, size, _ in found)
    assert left < (len(frame(written[len(found)])) if len(found) < len(written) else 1)


async def test_an_append_returns_when_its_record_is_durable() -> None:
    disk = MemoryDisk()
    async with box(disk).running() as outbox:
        await store(outbox, 1, 2)
        assert disk.unsynced_bytes == 0
        assert outbox.depth == 2
        survivor = disk.crash()
    async with box(survivor).running() as again:
        assert sorted(await contents(again)) == [entry(1), entry(2)]


async def test_records_that_come_together_are_committed_together() -> None:
    disk = MemoryDisk()
    async with box(disk, OutboxSettings(commit_interval_s=0.02)).running() as outbox:
        await asyncio.gather(*(store(outbox, number) for number in range(50)))
    assert disk.syncs == 1


async def test_a_torn_tail_is_cut_and_set_aside() -> None:
    record = frame(Waiting(1, "decisions", entry(1)))
    disk = MemoryDisk(record + record[:-3])
    async with box(disk).running() as outbox:
        assert outbox.depth == 1
        assert disk.aside == [record[:-3]]
        assert disk.size(0) == len(record)


async def test_a_lane_keeps_its_order_and_is_forgotten_when_acknowledged() -> None:
    disk = MemoryDisk()
    async with box(disk).running() as outbox:
        for number in range(5):
            await outbox.append("actions", Encoded(b"key", bytes([number])), deadline=Deadline.after(5))
        lane = outbox.lane("actions", b"key")
        assert outbox.waits(lane)
        assert [e.value for e in await outbox.oldest(lane, records=3, size=10_000)] == [b"\0", b"\1", b"\2"]
        assert len(await outbox.oldest(lane, records=3, size=1)) == 1
        await outbox.acknowledge(lane, 3)
        assert [e.value for e in await outbox.oldest(lane, records=3, size=10_000)] == [b"\3", b"\4"]
        assert disk.used_bytes > 0
        await outbox.acknowledge(lane, 2)
        assert not outbox.waits(lane)
        assert (outbox.depth, disk.numbers(), outbox.size_bytes) == (0, [], 0)


async def test_the_bound_of_bytes_is_held() -> None:
    limits = OutboxSettings(max_bytes=300, commit_interval_s=0)
    async with box(MemoryDisk(), limits).running() as outbox:
        await store(outbox, 1, 2)
        with pytest.raises(OutboxFull, match="size"):
            await store(outbox, 3, 4)
        assert outbox.size_bytes <= 300


async def test_the_bound_of_age_is_held() -> None:
    old = MemoryDisk(frame(Waiting(1_000, "decisions", entry(1))))
    limits = OutboxSettings(max_age_s=10, commit_interval_s=0)
    async with box(old, limits, wall_ms=12_000).running() as outbox:
        assert outbox.age_s() == 11
        with pytest.raises(OutboxFull, match="too long"):
            await store(outbox, 2)


async def test_a_disk_that_refuses_fails_the_append_and_leaves_no_trace_of_it() -> None:
    disk = MemoryDisk()
    async with box(disk).running() as outbox:
        await store(outbox, 1)
        disk.refuses = OSError(28, "no space")
        with pytest.raises(OutboxFull, match="disk"):
            await store(outbox, 2)
        disk.refuses = None
        assert outbox.depth == 1
        await store(outbox, 3)
        assert sorted(await contents(outbox)) == [entry(1), entry(3)]
    async with box(disk.crash()).running() as again:
        assert sorted(await contents(again)) == [entry(1), entry(3)]


async def test_an_append_that_is_not_durable_by_its_deadline_fails() -> None:
    async with box(MemoryDisk(), OutboxSettings(commit_interval_s=0.05)).running() as outbox:
        with pytest.raises(AppendTimeout):
            await outbox.append("decisions", entry(1), deadline=Deadline.after(0.001))


async def test_the_real_file_survives_reopening_and_has_one_owner(tmp_path: Path) -> None:
    folder = tmp_path / "outbox" / "exposure-0"
    async with Outbox.open(folder, partitions=4) as outbox:
        await store(outbox, *range(300))
        with pytest.raises(Conflict):
            async with Outbox.open(folder, partitions=4):
                pass
    [file] = folder.glob("outbox-*.log")
    size = file.stat().st_size
    with file.open("ab") as opened:
        opened.write(b"\x10\0\0\0torn")
    async with Outbox.open(folder, partitions=4) as outbox:
        assert sorted(await contents(outbox)) == [entry(number) for number in range(300)]
        assert file.stat().st_size == size
        assert (folder / "torn-0000.bin").read_bytes() == b"\x10\0\0\0torn"
        await store(outbox, 300)
        assert file.stat().st_size == size  # never appended to: what a killed process left may not be on disk
        for lane in outbox.waiting_lanes():
            await outbox.acknowledge(lane, len(await outbox.oldest(lane, records=1_000, size=1 << 30)))
        assert list(folder.glob("outbox-*.log")) == []


async def test_a_file_goes_as_soon_as_all_its_records_are_sent() -> None:
    disk = MemoryDisk()
    limits = OutboxSettings(commit_interval_s=0, segment_bytes=1)
    async with box(disk, limits).running() as outbox:
        for number in range(4):
            await outbox.append("actions", Encoded(b"key", bytes([number])), deadline=Deadline.after(5))
        assert disk.numbers() == [0, 1, 2, 3]
        await outbox.acknowledge(outbox.lane("actions", b"key"), 3)
        assert disk.numbers() == [3]
        assert outbox.size_bytes == disk.used_bytes


async def test_a_full_disk_is_counted_and_logged_and_taken_again_when_it_has_room(
    caplog: pytest.LogCaptureFixture,
) -> None:
    disk = MemoryDisk(capacity=0)
    before = METER.value(names.OUTBOX_REFUSED, kind="slate", reason="disk")
    async with box(disk).running() as outbox:
        for _ in range(3):
            with pytest.raises(OutboxFull, match="full") as caught:
                await outbox.append("decisions", entry(1), deadline=Deadline.after(5), worth=Worth.SLATE)
        assert caught.value.retry_after_s
        assert METER.value(names.OUTBOX_REFUSED, kind="slate", reason="disk") == before + 3
        assert METER.value(names.OUTBOX_ROOM) == 0
        assert [record.message for record in caplog.records] == ["outbox refuses records"]
        disk.capacity = 10_000
        await outbox.append("decisions", entry(2), deadline=Deadline.after(5), worth=Worth.SLATE)
        assert await contents(outbox) == [entry(2)]


@pytest.mark.parametrize("bound", ["max_bytes", "disk"])
async def test_as_room_runs_out_records_are_refused_in_order_of_their_worth(bound: str) -> None:
    record = len(frame(Waiting(1_000, "decisions", entry(1))))
    disk = MemoryDisk(capacity=record * 10 if bound == "disk" else 1 << 40)
    limits = OutboxSettings(commit_interval_s=0, **({"max_bytes": record * 10} if bound == "max_bytes" else {}))
    taken: dict[Worth, int] = {}
    async with box(disk, limits).running() as outbox:
        for worth in Worth:
            with pytest.raises(OutboxFull):
                while True:
                    await outbox.append("decisions", entry(1), deadline=Deadline.after(5), worth=worth)
            taken[worth] = outbox.depth
        assert taken == {Worth.OPTIONAL: 7, Worth.SLATE: 9, Worth.EVIDENCE: 10}
        assert len(await contents(outbox)) == 10  # nothing that was taken is dropped


async def test_an_append_whose_caller_left_before_it_was_written_is_taken_back() -> None:
    disk = MemoryDisk()
    async with box(disk, OutboxSettings(commit_interval_s=0.05)).running() as outbox:
        with pytest.raises(AppendTimeout):
            await outbox.append("decisions", entry(1), deadline=Deadline.after(0.001))
        assert (outbox.depth, outbox.size_bytes) == (0, 0)
        await store(outbox, 2)
        assert await contents(outbox) == [entry(2)]
