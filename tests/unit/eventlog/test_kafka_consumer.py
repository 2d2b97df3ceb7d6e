import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from loopwright.eventlog import LogSettings, kafka_consumer
from loopwright.eventlog.kafka_consumer import close_consumer, start_consumer
from loopwright.faults import LogUnavailable


class Part:
    closed = False

    async def close(self) -> None:
        self.closed = True


class Consumer:
    """Its stop works, hangs, fails or is cut short by a cancelled task of its own, as the library's can be."""

    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour
        self._fetcher, self._client = Part(), Part()

    async def stop(self) -> None:
        if self.behaviour == "hangs":
            await asyncio.sleep(60)
        if self.behaviour == "fails":
            raise KafkaConnectionError
        if self.behaviour == "cut short":
            raise asyncio.CancelledError


async def test_a_stop_that_is_cut_short_closes_what_is_left_open() -> None:
    consumer: Any = Consumer("cut short")
    await close_consumer(consumer, 1)
    assert consumer._fetcher.closed and consumer._client.closed


@pytest.mark.parametrize("behaviour", ["works", "hangs", "fails"])
async def test_closing_ends_whatever_the_consumer_does(behaviour: str) -> None:
    consumer: Any = Consumer(behaviour)
    async with asyncio.timeout(5):
        await close_consumer(consumer, 0.02)
    await asyncio.sleep(0)


async def test_without_a_broker_no_consumer_starts_and_none_is_left_open() -> None:
    with pytest.raises(LogUnavailable):
        await start_consumer("127.0.0.1:1", LogSettings(request_timeout_s=1.0))


@pytest.mark.parametrize(("aging", "wait_ms"), [(False, 400), (True, 3000)])
async def test_an_aging_consumer_asks_seldom_while_nothing_comes(
    monkeypatch: pytest.MonkeyPatch, aging: bool, wait_ms: int
) -> None:
    asked: dict[str, Any] = {}

    class Made:
        def __init__(self, **settings: Any) -> None:
            asked.update(settings)

        async def start(self) -> None:
            return

    monkeypatch.setattr(kafka_consumer, "AIOKafkaConsumer", Made)
    await start_consumer("k:1", LogSettings(fetch_wait_s=0.4, aging_fetch_wait_s=3.0), aging=aging)
    assert asked["fetch_max_wait_ms"] == wait_ms
