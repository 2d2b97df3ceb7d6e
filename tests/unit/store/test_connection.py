from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeout

from loopwright.store.connection import heeding, open_redis


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
        with pytest.raises(RedisTimeout):
            await client.ping()
        assert calls == 1


async def test_a_server_that_refuses_is_down():
    async with open_redis("redis://127.0.0.1:1/0", 0.5) as client:
        with pytest.raises(RedisConnectionError):
            await client.ping()


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
