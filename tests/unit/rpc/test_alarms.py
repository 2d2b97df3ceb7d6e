from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.rpc.alarms import Alarms, alarms, within


class Loop:
    """A loop whose time is told, and which counts the timers set."""

    def __init__(self) -> None:
        self.now, self.timers, self.set = 100.0, dict[object, tuple[float, Callable[[], None]]](), 0
        self.reported: list[dict[str, Any]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> Any:
        handle = SimpleNamespace(cancel=lambda: self.timers.pop(id(handle), None))
        self.timers[id(handle)] = (self.now + delay, callback)
        self.set += 1
        return handle

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.reported.append(context)

    def go_to(self, instant: float) -> None:
        while due := [(at, key) for key, (at, _) in self.timers.items() if at <= instant]:
            at, key = min(due, key=lambda one: one[0])
            self.now = max(self.now, at)
            self.timers.pop(key)[1]()
        self.now = instant


def on(loop: Loop) -> Alarms:
    told: Any = loop
    return Alarms(told)


@given(steps=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 500), st.booleans()), min_size=1, max_size=30))
def test_each_alarm_rings_once_at_its_time_unless_called_off(steps: list[tuple[int, int, bool]]) -> None:
    loop = Loop()
    mine = on(loop)
    rung: dict[int, float] = {}
    due: dict[int, float] = {}
    for number, (wait_ms, delay_ms, off) in enumerate(steps):
        loop.go_to(loop.now + wait_ms / 1000)

        def ring(number: int = number) -> None:
            assert number not in rung
            rung[number] = loop.now

        alarm = mine.after(delay_ms / 1000, ring)
        if off:
            mine.call_off(alarm)
        else:
            due[number] = loop.now + delay_ms / 1000
    loop.go_to(loop.now + 1)
    assert rung.keys() == due.keys()
    assert all(-0.0011 <= rung[number] - due[number] <= 0.0001 for number in due)
    assert not loop.timers


def test_an_alarm_that_fails_is_reported_and_the_others_ring() -> None:
    loop, rung = Loop(), []
    mine, failure = on(loop), RuntimeError("no more threads")

    def fail() -> None:
        raise failure

    mine.after(0.05, fail)
    mine.after(0.05, lambda: rung.append(1))
    mine.after(0.09, lambda: rung.append(2))
    loop.go_to(loop.now + 0.1)
    assert rung == [1, 2]
    assert [context["exception"] for context in loop.reported] == [failure]


def test_alarms_that_are_called_off_in_time_share_one_timer() -> None:
    loop = Loop()
    mine = on(loop)
    for _ in range(100):
        mine.call_off(mine.after(0.5, lambda: pytest.fail("called off")))
        loop.go_to(loop.now + 0.001)
    assert loop.set == 1


async def test_a_block_that_takes_too_long_ends_with_a_time_out() -> None:
    with pytest.raises(TimeoutError):
        with within(0.01):
            await asyncio.sleep(60)
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
    await asyncio.sleep(0)


async def test_no_time_at_all_ends_the_first_wait() -> None:
    with pytest.raises(TimeoutError):
        with within(0):
            await asyncio.sleep(60)


async def test_a_block_in_time_leaves_nothing_behind() -> None:
    with within(0.02):
        await asyncio.sleep(0)
    await asyncio.sleep(0.04)
    with pytest.raises(ValueError, match="its own"):
        with within(60):
            raise ValueError("its own")


async def test_a_cancellation_from_outside_stays_one() -> None:
    entered = asyncio.Event()

    async def work() -> None:
        with within(60):
            entered.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_cancellation_from_outside_counts_when_the_time_is_over_too() -> None:
    async def work() -> None:
        with within(0.01):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                asyncio.current_task().cancel()  # type: ignore[union-attr]
                raise

    task = asyncio.create_task(work())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_of_two_time_outs_the_one_that_is_over_speaks() -> None:
    told = []
    try:
        with within(0.01):
            try:
                with within(60):
                    await asyncio.sleep(60)
            except TimeoutError:
                told.append("inner")
    except TimeoutError:
        told.append("outer")
    assert told == ["outer"]


async def test_a_loop_has_one_set_of_alarms_and_blocks_need_a_task() -> None:
    assert alarms() is alarms()
    told: list[str] = []

    def outside() -> None:
        try:
            with within(1):
                told.append("begun")
        except RuntimeError:
            told.append("refused")

    asyncio.get_running_loop().call_soon(outside)
    await asyncio.sleep(0.01)
    assert told == ["refused"]
