"""The log against a broker that freezes, dies and comes back; each test has a broker of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loopwright.api.events.v1.feedback_pb2 import ActionTaken
from loopwright.eventlog import (
    ACTIONS,
    CONTROL,
    DurableWriter,
    Event,
    EventReader,
    KafkaEventLog,
    LogSettings,
    Outbox,
    Record,
    Tail,
    Where,
    ensure_topics,
    make_event,
    replay,
    wall_now_ms,
)
from loopwright.eventlog.kafka_reader import KafkaReader
from loopwright.faults import AppendTimeout, LogUnavailable
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.kafka_server import KafkaServer
from loopwright.rpc import Deadline

pytestmark = [pytest.mark.integration, pytest.mark.slow]
CLOCK = FixedClock(1_700_000_000_000)


def action(number: int) -> tuple[bytes, Event]:
    subject = (number % 13).to_bytes(16, "big")
    taken = ActionTaken(subject=subject, item_id=number)
    return subject, make_event(number.to_bytes(16, "big"), number, CLOCK, "exposure", action_taken=taken)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[KafkaServer]:
    server = KafkaServer(tmp_path / "kafka")
    await server.start()
    await ensure_topics(server.bootstrap)
    yield server
    if server.process.exit_code is None:
        os.kill(server.process.record.pid, signal.SIGCONT)
    await server.stop()


async def freeze(broker: KafkaServer) -> None:
    """Stop the broker where it is; the signal only asks for that, and until its threads heed it an answer may leave."""
    os.kill(broker.process.record.pid, signal.SIGSTOP)
    while not _stands(broker.process.record.pid):
        await asyncio.sleep(0.005)


def _stands(pid: int) -> bool:
    stats = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(stat.read_text().rpartition(") ")[2].startswith("T") for stat in stats)


async def on_the_log(log: KafkaEventLog) -> list[Record]:
    return [record async for batch in replay(log, [ACTIONS]) for record in batch]


async def test_a_frozen_broker_fails_an_append_at_its_deadline_and_a_thawed_one_takes_the_next(
    broker: KafkaServer,
) -> None:
    async with KafkaEventLog.open(broker.bootstrap, producer="exposure") as log:
        await log.append(ACTIONS, *action(0), deadline=Deadline.after(10))
        await freeze(broker)
        async with asyncio.timeout(5):  # the library itself would wait for 10 s
            for number in range(1, 4):
                with pytest.raises(AppendTimeout):
                    await log.append(ACTIONS, *action(number), deadline=Deadline.after(0.05))
            with pytest.raises(AppendTimeout):
                await log.append_many(ACTIONS, [action(n) for n in range(4, 300)], deadline=Deadline.after(0.1))
        os.kill(broker.process.record.pid, signal.SIGCONT)
        await log.append(ACTIONS, *action(1), deadline=Deadline.after(20))
        counted = Counter(record.event.event_id for record in await on_the_log(log))
        assert counted[action(0)[1].event_id] == 1
        assert counted[action(1)[1].event_id] >= 1


async def test_a_killed_broker_loses_nothing_that_was_acknowledged(broker: KafkaServer, tmp_path: Path) -> None:
    settings = LogSettings(renew_after_s=1.0)
    async with KafkaEventLog.open(broker.bootstrap, producer="exposure", settings=settings) as log:
        seen: list[Record] = []
        async with (
            Tail(log, [ACTIONS], seen.append) as tail,
            Outbox.open(tmp_path / "outbox", partitions=log.partitions) as outbox,
            DurableWriter(log, outbox) as writer,
        ):
            acknowledged: list[bytes] = []
            places: list[Where] = []

            async def write(number: int) -> None:
                appended = await writer.append(ACTIONS, *action(number), deadline=Deadline.after(0.5))
                acknowledged.append(action(number)[1].event_id)
                places.append(appended.where)

            for number in range(100):
                await write(number)
            os.kill(broker.process.record.pid, signal.SIGKILL)
            for number in range(100, 400):
                await write(number)
            died_at = wall_now_ms()
            assert outbox.depth > 0
            assert places[-1] is Where.OUTBOX
            await asyncio.sleep(0.5)
            assert (tail.caught_up_at_ms or 0) <= died_at
            assert tail.failure is None
            await broker.start()
            await writer.drained(Deadline.after(40))
            async with asyncio.timeout(30):
                while places[-1] is not Where.KAFKA:  # a broker that has just come back is slow at first
                    await write(len(acknowledged))
                    await asyncio.sleep(0.1)
            await writer.drained(Deadline.after(20))
            await tail.reached(await log.ends([ACTIONS]), Deadline.after(20))
        logged = {record.event.event_id for record in await on_the_log(log)}
        assert set(acknowledged) == logged
        assert len(acknowledged) > 400
        assert {record.event.event_id for record in seen} == logged


async def test_a_producer_that_hears_nothing_is_replaced_and_the_log_closes_in_time(broker: KafkaServer) -> None:
    settings = LogSettings(renew_after_s=0.2, close_timeout_s=0.5)
    async with (
        asyncio.timeout(60),  # closing would otherwise wait for ever for the record that cannot be sent
        KafkaEventLog.open(broker.bootstrap, producer="exposure", settings=settings) as log,
    ):
        await log.append(ACTIONS, *action(0), deadline=Deadline.after(10))
        first = await log._single.get()
        await freeze(broker)
        for number in range(1, 6):
            with pytest.raises(AppendTimeout):
                await log.append(ACTIONS, *action(number), deadline=Deadline.after(0.1))
        os.kill(broker.process.record.pid, signal.SIGCONT)
        await log.append(ACTIONS, *action(1), deadline=Deadline.after(20))
        assert await log._single.get() is not first
        await freeze(broker)
        with pytest.raises(AppendTimeout):
            await log.append(ACTIONS, *action(9), deadline=Deadline.after(0.05))


@pytest.mark.parametrize("fault", ["frozen", "killed"])
async def test_tails_are_current_soon_after_a_broker_comes_back(broker: KafkaServer, fault: str) -> None:
    async with KafkaEventLog.open(broker.bootstrap, producer="exposure") as log:
        seen: list[Record] = []
        async with Tail(log, [ACTIONS], seen.append) as busy, Tail(log, [CONTROL], seen.append) as idle:
            await log.append(ACTIONS, *action(0), deadline=Deadline.after(10))
            pid = broker.process.record.pid
            os.kill(pid, signal.SIGSTOP if fault == "frozen" else signal.SIGKILL)
            away_at = wall_now_ms()
            await asyncio.sleep(12)  # longer than the client waits for one answer
            assert all((tail.caught_up_at_ms or 0) <= away_at + 1_000 for tail in (busy, idle))
            if fault == "frozen":
                os.kill(pid, signal.SIGCONT)
            else:
                await broker.start()
            back_at = wall_now_ms()
            async with asyncio.timeout(10):
                while any((tail.caught_up_at_ms or 0) < back_at for tail in (busy, idle)):
                    await asyncio.sleep(0.02)
                await _appended(log, 1)
                await busy.reached(await log.ends([ACTIONS]), Deadline.after(10))
        assert {record.event.event_id for record in seen} == {action(n)[1].event_id for n in (0, 1)}


async def test_a_consumer_that_stops_without_a_word_is_replaced_and_reads_on(broker: KafkaServer) -> None:
    settings = LogSettings(stuck_after_s=1.0)
    async with KafkaEventLog.open(broker.bootstrap, producer="exposure", settings=settings) as log:
        await log.append(ACTIONS, *action(0), deadline=Deadline.after(10))
        async with log.reader([ACTIONS]) as reader:
            read = await _read(reader, 1)
            assert isinstance(reader, KafkaReader)
            first = reader._consumer
            assert first is not None
            first._fetcher._fetch_task.cancel()  # as aio-libs/aiokafka#1037 leaves it: no error, no records
            await log.append(ACTIONS, *action(1), deadline=Deadline.after(10))
            read += await _read(reader, 1)
            assert reader._consumer is not first
        assert [record.event.event_id for record in read] == [action(n)[1].event_id for n in (0, 1)]


async def _read(reader: EventReader, count: int) -> list[Record]:
    found: list[Record] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            found += await reader.read()
    return found


async def _appended(log: KafkaEventLog, number: int) -> None:
    while True:
        try:
            await log.append(ACTIONS, *action(number), deadline=Deadline.after(5))
            return
        except (LogUnavailable, AppendTimeout):
            await asyncio.sleep(0.1)


async def test_without_a_broker_nothing_opens_and_the_fault_says_so(broker: KafkaServer) -> None:
    bootstrap = broker.bootstrap
    async with KafkaEventLog.open(bootstrap, producer="exposure") as log:
        await broker.stop()
        with pytest.raises((LogUnavailable, AppendTimeout)):
            await log.append(ACTIONS, *action(1), deadline=Deadline.after(0.3))
        with pytest.raises(LogUnavailable):
            await log.ends([ACTIONS])
    with pytest.raises(LogUnavailable):
        async with KafkaEventLog.open(bootstrap, producer="x", settings=LogSettings(open_timeout_s=0.5)):
            pass
