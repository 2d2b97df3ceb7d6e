import asyncio

import pytest

from loopwright.eventlog.strays import StrayCancellation, no_strays


async def test_a_cancellation_that_nobody_asked_for_is_a_failure() -> None:
    async def work() -> None:
        with no_strays():
            raise asyncio.CancelledError

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            group.create_task(work())
    assert caught.group_contains(StrayCancellation)


async def test_one_that_was_asked_for_stays_one() -> None:
    async def work() -> None:
        with no_strays():
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_other_failures_go_through() -> None:
    with pytest.raises(KeyError), no_strays():
        raise KeyError
