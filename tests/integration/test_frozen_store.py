"""Hydration's and exposure's connection to a real store that is frozen and thawed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from loopwright.faults import FeatureStoreTimeout
from loopwright.hydration.rows import RedisRows, UserRow
from loopwright.localmesh.redis_server import RedisServer
from loopwright.rpc import Deadline
from loopwright.store.client import open_store

pytestmark = [pytest.mark.integration, pytest.mark.slow]
CEILING_S = 0.02
CALLS, APART_S = 60, 0.05
SUBJECT = bytes(range(16))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A server of its own, thawed at the end."""
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    os.kill(server.process.record.pid, signal.SIGCONT)
    await server.stop()


def sockets(port: int) -> int:
    """Return how many connections to the port this process holds."""
    held = psutil.Process().net_connections("tcp")
    return sum(connection.raddr.port == port for connection in held if connection.raddr)


async def test_a_frozen_store_costs_each_call_its_ceiling_and_no_connection_and_is_used_again_when_thawed(
    server: RedisServer,
) -> None:
    async with open_store(server.url, CEILING_S) as client:
        rows = RedisRows(client, lambda: 0)
        held: list[int] = []

        async def call() -> UserRow | None:
            try:
                return await rows.user(
                    SUBJECT, read_recent=True, request_id="r", stages=("users",), deadline=Deadline.after(1.0)
                )
            except FeatureStoreTimeout:
                return None
            finally:
                held.append(sockets(server.port))

        while await call() is None:  # the first call on a busy machine may need more than its ceiling
            await asyncio.sleep(APART_S)
        held.clear()
        os.kill(server.process.record.pid, signal.SIGSTOP)
        async with asyncio.TaskGroup() as group:
            calls = []
            for _ in range(CALLS):
                calls += [group.create_task(call()), group.create_task(call())]
                await asyncio.sleep(APART_S)
        assert [task.result() for task in calls] == [None] * 2 * CALLS
        assert max(held) <= 4  # what two calls at a time hold, never one for each call that was
        assert sockets(server.port) == 0
        os.kill(server.process.record.pid, signal.SIGCONT)
        async with asyncio.timeout(10):
            while await call() is None:
                await asyncio.sleep(APART_S)
