import asyncio
from collections.abc import AsyncIterator

import pytest

from loopwright.api.events.v1.feedback_pb2 import ActionTaken
from loopwright.eventlog import (
    ACTIONS,
    ORGANIC,
    DurableWriter,
    MemoryBroker,
    MemoryEventLog,
    Outbox,
    OutboxSettings,
    Position,
    Where,
    Worth,
    WriterRefused,
    make_event,
)
from loopwright.eventlog.memory_disk import MemoryDisk
from loopwright.eventlog.types import Event
from loopwright.faults import AppendTimeout, DeadlineExceeded, LogUnavailable, MessageTooLarge, OutboxFull
from loopwright.lifecycle import FixedClock
from loopwright.rpc import Deadline

CLOCK = FixedClock(1_000)
KEY = b"s" * 16


def action(number: int) -> Event:
    taken = ActionTaken(subject=KEY, item_id=number)
    return make_event(number.to_bytes(16, "big"), 1_000, CLOCK, "exposure", action_taken=taken)


class Mesh:
    """A log that can be away, a disk, and a writer over both whose clock the test moves."""

    def __init__(self, disk: MemoryDisk, max_bytes: int = 1 << 20) -> None:
        self.broker = MemoryBroker(partitions=1)
        self.disk = disk
        self.now = 0.0
        self.outbox = Outbox(disk, 1, OutboxSettings(commit_interval_s=0, max_bytes=max_bytes))
        log = MemoryEventLog(self.broker, producer="exposure", replica="exposure-1")
        self.writer = DurableWriter(log, self.outbox, longest_pause_s=0.05, drain_timeout_s=0.2, clock=lambda: self.now)

    async def append(self, number: int) -> Where:
        return (await self.writer.append(ACTIONS, KEY, action(number), deadline=Deadline.after(5))).where

    def logged(self) -> list[int]:
        return [event.action_taken.item_id for event in self.broker.records(ACTIONS)]


@pytest.fixture
async def mesh() -> AsyncIterator[Mesh]:
    made = Mesh(MemoryDisk())
    async with made.outbox.running():
        yield made


async def test_while_the_log_works_nothing_touches_the_outbox(mesh: Mesh) -> None:
    async with mesh.writer:
        appended = await mesh.writer.append(ACTIONS, KEY, action(1), deadline=Deadline.after(5))
    assert (appended.where, appended.position) == (Where.KAFKA, Position(0, 0))
    assert mesh.disk.syncs == 0


async def test_an_outage_sends_appends_to_the_outbox_and_its_end_drains_them_in_order(mesh: Mesh) -> None:
    mesh.broker.outage = LogUnavailable()
    async with mesh.writer:
        assert [await mesh.append(number) for number in range(20)] == [Where.OUTBOX] * 20
        assert mesh.outbox.depth == 20
        with pytest.raises(DeadlineExceeded):
            await mesh.writer.drained(Deadline.after(0))
        mesh.broker.outage = None
        await mesh.writer.drained(Deadline.after(5))
        assert mesh.logged() == list(range(20))
        assert mesh.disk.used_bytes == 0


@pytest.mark.parametrize("failure", [LogUnavailable(), AppendTimeout()])
async def test_a_partition_stays_with_the_outbox_until_it_is_drained(mesh: Mesh, failure: Exception) -> None:
    mesh.broker.outage = failure  # type: ignore[assignment]
    assert await mesh.append(1) is Where.OUTBOX
    mesh.broker.outage = None
    mesh.now = 100.0
    assert await mesh.append(2) is Where.OUTBOX
    assert mesh.logged() == []
    async with mesh.writer:
        await mesh.writer.drained(Deadline.after(5))
        assert await mesh.append(3) is Where.KAFKA
    assert mesh.logged() == [1, 2, 3]


async def test_after_a_failure_the_log_is_left_alone_for_a_while() -> None:
    mesh = Mesh(MemoryDisk())
    mesh.outbox = Outbox(MemoryDisk(), 64, OutboxSettings(commit_interval_s=0))
    broker = MemoryBroker(partitions=64)
    writer = DurableWriter(
        MemoryEventLog(broker, producer="exposure"), mesh.outbox, probe_after_s=1.0, clock=lambda: mesh.now
    )
    async with mesh.outbox.running():
        broker.outage = LogUnavailable()
        await writer.append(ACTIONS, b"one", action(1), deadline=Deadline.after(5))
        broker.outage = None
        other = await writer.append(ACTIONS, b"other", action(2), deadline=Deadline.after(5))
        assert other.where is Where.OUTBOX
        mesh.now = 1.0
        third = await writer.append(ACTIONS, b"third", action(3), deadline=Deadline.after(5))
        assert third.where is Where.KAFKA


async def test_what_a_killed_process_left_is_sent_by_the_next_and_nothing_is_lost(mesh: Mesh) -> None:
    mesh.broker.outage = LogUnavailable()
    for number in range(5):
        await mesh.append(number)
    after = Mesh(mesh.disk.crash())
    async with after.outbox.running(), after.writer:
        await after.writer.drained(Deadline.after(5))
    assert after.logged() == [0, 1, 2, 3, 4]


async def test_leaving_during_an_outage_keeps_the_records_on_disk(mesh: Mesh) -> None:
    mesh.broker.outage = LogUnavailable()
    async with mesh.writer:
        await mesh.append(1)
    assert mesh.outbox.depth == 1
    assert mesh.disk.used_bytes > 0


async def test_when_log_and_outbox_fail_the_append_fails() -> None:
    mesh = Mesh(MemoryDisk(), max_bytes=10)
    mesh.broker.outage = LogUnavailable()
    async with mesh.outbox.running():
        with pytest.raises(OutboxFull):
            await mesh.append(1)


async def test_without_an_outbox_an_outage_is_the_callers(mesh: Mesh) -> None:
    writer = DurableWriter(MemoryEventLog(mesh.broker, producer="exposure"), None)
    async with writer:
        await writer.append(ACTIONS, KEY, action(1), deadline=Deadline.after(5))
        mesh.broker.outage = LogUnavailable()
        with pytest.raises(LogUnavailable):
            await writer.append(ACTIONS, KEY, action(2), deadline=Deadline.after(5))
        await writer.drained(Deadline.after(0))


async def test_several_appends_are_all_durable_or_fail(mesh: Mesh) -> None:
    entries = [(KEY, action(number)) for number in range(4)]
    done = await mesh.writer.append_many(ACTIONS, entries, deadline=Deadline.after(5))
    assert [one.where for one in done] == [Where.KAFKA] * 4
    mesh.disk.refuses = OSError(28, "no space")
    mesh.broker.outage = LogUnavailable()
    with pytest.raises(OutboxFull):
        await mesh.writer.append_many(ACTIONS, entries, deadline=Deadline.after(5))
    mesh.disk.refuses = None


async def test_an_outage_does_not_let_a_foreign_writer_through(mesh: Mesh) -> None:
    mesh.broker.outage = LogUnavailable()
    await mesh.append(1)
    with pytest.raises(WriterRefused):
        await mesh.writer.append(ORGANIC, KEY, action(1), deadline=Deadline.after(5))


async def test_every_record_names_the_replica_that_accepted_it_even_when_another_sends_it(mesh: Mesh) -> None:
    await mesh.append(1)
    mesh.broker.outage = LogUnavailable()
    await mesh.append(2)
    broker, outbox = MemoryBroker(partitions=1), Outbox(mesh.disk.crash(), 1, OutboxSettings(commit_interval_s=0))
    other = DurableWriter(MemoryEventLog(broker, producer="exposure", replica="exposure-2"), outbox)
    async with outbox.running(), other:
        await other.drained(Deadline.after(5))
        await other.append(ACTIONS, KEY, action(3), deadline=Deadline.after(5))
    assert [event.replica for event in mesh.broker.records(ACTIONS)] == ["exposure-1"]
    assert [event.replica for event in broker.records(ACTIONS)] == ["exposure-1", "exposure-2"]


async def test_an_outage_costs_one_append_in_a_while_its_budget_and_not_every_one() -> None:
    tried: list[bytes] = []

    class Silent(MemoryEventLog):
        async def append(self, topic, key, event, *, deadline):  # type: ignore[no-untyped-def]
            tried.append(key)
            await asyncio.sleep(deadline.remaining())
            raise AppendTimeout()

    now = 0.0
    outbox = Outbox(MemoryDisk(), 64, OutboxSettings(commit_interval_s=0))
    writer = DurableWriter(Silent(producer="exposure"), outbox, probe_after_s=1.0, clock=lambda: now)

    async def side_by_side(prefix: bytes) -> None:
        keys = [prefix + bytes([number]) for number in range(20)]
        await asyncio.gather(*(writer.append(ACTIONS, key, action(1), deadline=Deadline.after(5)) for key in keys))

    async with outbox.running():
        await writer.append(ACTIONS, b"first", action(1), deadline=Deadline.after(5))
        await side_by_side(b"a")
        assert len(tried) == 1
        now = 1.0
        await side_by_side(b"b")
        assert len(tried) <= 2  # none, when all lanes wait already


async def test_a_lane_that_cannot_be_sent_does_not_hold_up_the_others() -> None:
    class Choosy(MemoryEventLog):
        async def append_encoded(self, topic, entries, *, deadline):  # type: ignore[no-untyped-def]
            if any(entry.key in (b"bad", b"worse") for entry in entries):
                raise MessageTooLarge()
            return await super().append_encoded(topic, entries, deadline=deadline)

    broker, outbox = MemoryBroker(partitions=64), Outbox(MemoryDisk(), 64, OutboxSettings(commit_interval_s=0))
    writer = DurableWriter(Choosy(broker, producer="exposure"), outbox, longest_pause_s=0.05, drain_timeout_s=0)
    broker.outage = LogUnavailable()
    async with outbox.running(), writer:
        for number, key in enumerate((b"bad", b"worse", b"one", b"two", b"three")):
            await writer.append(ACTIONS, key, action(number), deadline=Deadline.after(5))
        broker.outage = None
        async with asyncio.timeout(5):
            while outbox.depth > 2:
                await asyncio.sleep(0.01)
    assert sorted(event.action_taken.item_id for event in broker.records(ACTIONS)) == [2, 3, 4]


async def test_the_worth_of_a_record_reaches_the_outbox() -> None:
    mesh = Mesh(MemoryDisk(), max_bytes=300)
    mesh.broker.outage = LogUnavailable()
    async with mesh.outbox.running():
        await mesh.append(1)
        await mesh.append(2)
        for worth in (Worth.OPTIONAL, Worth.SLATE):
            with pytest.raises(OutboxFull, match="worth"):
                await mesh.writer.append(ACTIONS, KEY, action(3), deadline=Deadline.after(5), worth=worth)
        mesh.broker.outage = None
        async with mesh.writer:
            await mesh.writer.drained(Deadline.after(5))
            assert await mesh.append(4) is Where.KAFKA
