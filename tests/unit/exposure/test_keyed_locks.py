from __future__ import annotations

import asyncio

import pytest

from loopwright.exposure.keyed_locks import KeyedLocks


async def test_holders_of_one_key_go_one_after_the_other_and_of_two_side_by_side():
    locks, running, most = KeyedLocks(), {"a": 0, "b": 0}, {"a": 0, "b": 0}
    together = 0

    async def work(key: str) -> None:
        nonlocal together
        async with locks.hold(key):
            running[key] += 1
            most[key] = max(most[key], running[key])
            together = max(together, sum(running.values()))
            await asyncio.sleep(0)
            running[key] -= 1

    async with asyncio.TaskGroup() as group:
        for key in "aabbab":
            group.create_task(work(key))
    assert most == {"a": 1, "b": 1}
    assert together == 2


async def test_no_lock_is_kept_once_nobody_needs_it():
    locks = KeyedLocks()
    async with locks.hold("a"):
        assert len(locks) == 1
    with pytest.raises(RuntimeError):
        async with locks.hold("a"):
            raise RuntimeError
    assert len(locks) == 0
