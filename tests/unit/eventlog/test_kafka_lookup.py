import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from loopwright.eventlog.kafka_lookup import LookupSlot
from loopwright.faults import LogUnavailable


class Consumer:
    """Answers, hangs or refuses."""

    def __init__(self, behaviour: str) -> None:
        self.behaviour, self.closed = behaviour, False

    async def start(self) -> None:
        if self.behaviour == "unreachable":
            raise KafkaConnectionError

    async def stop(self) -> None:
        self.closed = True

    async def end(self) -> int:
        if self.behaviour == "hangs":
            await asyncio.sleep(60)
        if self.behaviour == "refuses":
            raise KafkaConnectionError
        return 7


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def slot(*behaviours: str) -> tuple[LookupSlot, list[Any], Clock]:
    made: list[Any] = []
    clock, left = Clock(), list(behaviours)

    def make() -> Any:
        made.append(Consumer(left.pop(0)))
        return made[-1]

    return LookupSlot(make, timeout_s=0.02, renew_after_s=15, close_timeout_s=1, clock=clock), made, clock


async def test_all_questions_share_one_consumer_that_is_closed_at_the_end() -> None:
    lookups, made, _ = slot("answers")
    assert await asyncio.gather(*(lookups.ask(lambda consumer: consumer.end()) for _ in range(3))) == [7, 7, 7]
    await lookups.close()
    assert len(made) == 1 and made[0].closed


@pytest.mark.parametrize("behaviour", ["hangs", "refuses", "unreachable"])
async def test_no_answer_is_an_unavailable_log(behaviour: str) -> None:
    lookups, _, _ = slot(behaviour)
    with pytest.raises(LogUnavailable):
        await lookups.ask(lambda consumer: consumer.end())
    await lookups.close()


async def test_a_consumer_that_only_fails_is_replaced_and_one_that_answers_in_between_is_not() -> None:
    lookups, made, clock = slot("hangs", "answers")

    async def fails() -> None:
        with pytest.raises(LogUnavailable):
            await lookups.ask(lambda consumer: consumer.end())

    await fails()
    made[0].behaviour = "answers"
    clock.now = 20
    await lookups.ask(lambda consumer: consumer.end())
    made[0].behaviour = "hangs"
    for clock.now in (30, 44):
        await fails()
    assert len(made) == 1
    clock.now = 46
    await fails()
    assert await lookups.ask(lambda consumer: consumer.end()) == 7
    await lookups.close()
    assert [consumer.closed for consumer in made] == [True, True]


async def test_a_consumer_that_fails_those_who_wait_for_less_time_is_replaced_too() -> None:
    lookups, made, clock = slot("hangs", "answers")
    lookups._timeout_s = 60
    for clock.now in (0, 10, 16):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await lookups.ask(lambda consumer: consumer.end())
    assert await lookups.ask(lambda consumer: consumer.end()) == 7
    await lookups.close()
    assert [consumer.closed for consumer in made] == [True, True]
