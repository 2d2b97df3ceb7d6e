from __future__ import annotations

import asyncio

import pytest

from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout
from loopwright.rpc import Deadline
from loopwright.store.connection import heeding, open_redis, within


async def test_a_server_that_accepts_and_never_answers_is_a_timeout_after_one_try():
    calls = 0

    async def frozen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(frozen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_redis(f"redis://127.0.0.1:{port}/0", 0.05) as client:
        with pytest.raises(FeatureStoreTimeout):
            await within(0.05, Deadline.after(5.0), client.ping())
        assert calls == 1


async def test_a_server_that_refuses_is_down():
    async with open_redis("redis://127.0.0.1:1/0", 0.5) as client:
        with pytest.raises(FeatureStoreDown):
            await within(0.5, Deadline.after(5.0), client.ping())


@pytest.mark.integration
async def test_a_call_cut_off_does_not_leave_its_answer_for_the_next_one(redis_url):
    async with open_redis(redis_url, 1.0) as client:
        await client.set("cut-off", b"stale")
        with pytest.raises(FeatureStoreTimeout):
            await within(0.2, Deadline.after(5.0), client.blpop(["nothing-here"], timeout=0.8))
        assert await within(1.0, Deadline.after(5.0), client.get("cut-off")) == b"stale"


@pytest.mark.integration
async def test_the_deadline_cuts_a_call_shorter_than_the_ceiling(redis_url):
    async with open_redis(redis_url, 5.0) as client:
        with pytest.raises(FeatureStoreTimeout):
            await within(5.0, Deadline.after(0.0), client.blpop(["nothing-here"], timeout=1))


async def swallows() -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return "went on"
    return ""


async def test_a_cancellation_that_a_call_swallows_is_heeded():
    task = asyncio.ensure_future(heeding(swallows()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_ceiling_that_a_call_swallows_is_a_timeout():
    with pytest.raises(FeatureStoreTimeout):
        await within(0.01, Deadline.after(5.0), swallows())


async def test_a_call_in_a_task_that_was_cancelled_before_is_let_through():
    async def cleaning_up() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return await heeding(asyncio.sleep(0, "done"))
        return ""

    task = asyncio.ensure_future(cleaning_up())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "done"
