import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaConnectionError, OutOfOrderSequenceNumber, RequestTimedOutError

from loopwright.eventlog.kafka_producer import ProducerSlot
from loopwright.faults import LogUnavailable


class Producer:
    """Stands for aiokafka's: starts or refuses, knows its topics, and notes its end."""

    def __init__(self, *, refuses: bool = False, hangs: bool = False) -> None:
        self.refuses, self.hangs = refuses, hangs
        self.topics: list[str] = []
        self.ended: list[str] = []
        self._message_accumulator = SimpleNamespace(fail_all=lambda error: self.ended.append("failed"))
        self._sender = SimpleNamespace(sender_task=None)
        self.client = SimpleNamespace(close=self._close)

    async def _close(self) -> None:
        self.ended.append("closed")

    async def start(self) -> None:
        await asyncio.sleep(0)
        if self.refuses:
            raise KafkaConnectionError("refused")

    async def partitions_for(self, topic: str) -> None:
        self.topics.append(topic)

    async def stop(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        self.ended.append("stopped")


class Bench:
    def __init__(self, *producers: Producer) -> None:
        self.waiting = list(producers)
        self.now = 0.0
        self.slot = ProducerSlot(
            lambda: self.waiting.pop(0),  # type: ignore[arg-type,return-value]
            ["p.actions"],
            renew_after_s=5.0,
            close_timeout_s=0.01,
            clock=lambda: self.now,
        )


async def test_many_callers_share_one_producer_that_knows_its_topics() -> None:
    bench = Bench(made := Producer())
    assert await asyncio.gather(*(bench.slot.get() for _ in range(5))) == [made] * 5
    assert made.topics == ["p.actions"]
    await bench.slot.close()
    assert made.ended == ["stopped"]


async def test_a_broker_that_refuses_is_told_and_the_next_caller_tries_again() -> None:
    bench = Bench(Producer(refuses=True), second := Producer())
    with pytest.raises(LogUnavailable):
        await bench.slot.get()
    assert await bench.slot.get() is second
    await bench.slot.close()


async def test_an_error_that_no_retry_mends_replaces_the_producer_at_once() -> None:
    bench = Bench(first := Producer(), second := Producer())
    await bench.slot.get()
    bench.slot.failed(OutOfOrderSequenceNumber())
    assert await bench.slot.get() is second
    await bench.slot.close()
    assert first.ended == ["stopped"]


@pytest.mark.parametrize("error", [None, RequestTimedOutError()])
async def test_silence_replaces_the_producer_only_after_its_time(error: RequestTimedOutError | None) -> None:
    bench = Bench(first := Producer(), second := Producer())
    await bench.slot.get()
    for bench.now in (1.0, 3.0, 5.9):
        bench.slot.failed(error)
        assert await bench.slot.get() is first
    bench.now = 6.0
    bench.slot.failed(error)
    assert await bench.slot.get() is second
    bench.now = 10.9  # the new one gets its time too: no storm of producers
    bench.slot.failed(error)
    assert await bench.slot.get() is second
    await bench.slot.close()


async def test_an_acknowledgement_ends_the_silence() -> None:
    bench = Bench(first := Producer())
    await bench.slot.get()
    bench.slot.failed(None)
    bench.now = 4.0
    bench.slot.acknowledged()
    bench.now = 8.0
    bench.slot.failed(None)
    assert await bench.slot.get() is first
    await bench.slot.close()


async def test_a_producer_that_cannot_stop_is_closed_by_force() -> None:
    bench = Bench(made := Producer(hangs=True))
    await bench.slot.get()
    await bench.slot.close()
    assert made.ended == ["failed", "closed"]


async def test_a_caller_that_gives_up_does_not_stop_the_opening() -> None:
    bench = Bench(made := Producer())
    caller = asyncio.ensure_future(bench.slot.get())
    await asyncio.sleep(0)
    caller.cancel()
    assert await bench.slot.get() is made
    await bench.slot.close()
