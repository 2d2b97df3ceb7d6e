import asyncio
import os
import signal

import pytest

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.domain.ids import event_id
from loopwright.eventlog import CONTROL, MESH_KEY, READINESS, MemoryBroker, MemoryEventLog, Tail, make_event
from loopwright.faults import CorruptRecord
from loopwright.lifecycle import FixedClock, ServiceSettings, process_over
from loopwright.rpc import Deadline


class DemoSettings(ServiceSettings, service="demo"):
    pass


def log_of(broker: MemoryBroker, producer: str = "demo") -> MemoryEventLog:
    return MemoryEventLog(broker, producer=producer)


async def test_a_process_has_folded_the_clock_before_it_runs_and_says_so_when_it_ends() -> None:
    broker = MemoryBroker()
    said = ClockSet()
    said.offset.FromMilliseconds(-500)
    event = make_event(event_id(1), 0, FixedClock(0), "ingest", clock_set=said)
    await log_of(broker, "ingest").append(CONTROL, MESH_KEY, event, deadline=Deadline.after(1))
    async with process_over(log_of(broker), "demo", DemoSettings(), wall_ms=lambda: 2_000) as running:
        assert (running.clock.now_ms(), running.replica) == (1_500, "demo-0")
    states = sorted(e.replica_reported.state for e in broker.records(READINESS))
    assert states == [3, 4]


async def test_a_signal_ends_the_wait() -> None:
    async with process_over(log_of(MemoryBroker()), "demo", DemoSettings()) as running:
        waiting = asyncio.ensure_future(running.stopped())
        await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        await waiting


async def test_a_watched_tail_that_fails_ends_the_process() -> None:
    broker = MemoryBroker()
    async with process_over(log_of(broker), "demo", DemoSettings()) as running:
        async with Tail(running.log, [CONTROL], lambda record: None) as tail:
            running.watch(tail)
            waiting = asyncio.ensure_future(running.stopped())
            await asyncio.sleep(0)
            broker.inject(CONTROL, MESH_KEY, b"\xff")
            with pytest.raises(CorruptRecord):
                await waiting
