from __future__ import annotations

import asyncio

from loopwright.localmesh.turns import Turns


async def test_one_start_waits_for_the_other() -> None:
    turns, order = Turns(1, turn_s=60), list[str]()
    first_is_in, let_go = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with turns.taken():
            order.append("first")
            first_is_in.set()
            await let_go.wait()

    async def second() -> None:
        async with turns.taken():
            order.append("second")

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(first())
        await first_is_in.wait()
        waiting = group.create_task(second())
        await asyncio.sleep(0.02)
        assert order == ["first"] and not waiting.done()
        let_go.set()
    assert order == ["first", "second"]


async def test_a_start_that_takes_too_long_gives_up_its_turn_once() -> None:
    turns = Turns(1, turn_s=0.01)
    async with asyncio.timeout(10):
        async with turns.taken(), turns.taken():
            pass  # the second turn came although the first start still goes on
        late = Turns(1, turn_s=60)
        async with late.taken():
            pass
        async with late.taken():
            waiting = asyncio.ensure_future(late._free.acquire())
            await asyncio.sleep(0.02)
            assert not waiting.done()  # a turn that ended is not given back twice
            waiting.cancel()
