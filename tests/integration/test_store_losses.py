"""The projector on a real store that is emptied, and that comes back from an older state, while it folds."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from loopwright.eventlog import MemoryEventLog
from loopwright.faults import DependencyDown
from loopwright.hydration.lag import STAGES, Progress
from loopwright.hydration.rows import RedisRows
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.process import gone
from loopwright.localmesh.redis_server import RedisServer
from loopwright.projector.config import Pace
from loopwright.projector.parking import SOURCES
from loopwright.projector.projector import Projector
from loopwright.projector.redis_store import RedisStore, open_redis_store
from loopwright.projector.replay import ReplayFold
from loopwright.projector.store import Hashes, MemoryStore, hashes
from loopwright.rpc import Deadline
from loopwright.store import keys as row_keys
from loopwright.store.client import open_store
from loopwright.store.connection import open_redis
from tests.replay.synthetic import Entry, entries
from tests.unit.projector.logs import log_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]
CLOCK = FixedClock(1_800_000_000_000)
PACE = Pace(batch_records=50, gather_ms=0, poll_interval_ms=20, progress_interval_ms=50, sweep_interval_ms=100)
SOME: list[Entry] = list(entries(2000, users=50, items=100, seed=3))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A server of its own: the tests empty and kill it."""
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def folding(log: MemoryEventLog, store: RedisStore) -> AsyncIterator[None]:
    clock = log.broker.wall_ms
    projector = Projector(log, store, CLOCK, pace=PACE, wall_ms=clock)
    task = asyncio.ensure_future(projector.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(holds: Callable[[], Awaitable[bool]], limit_s: float = 60.0) -> None:
    async with asyncio.timeout(limit_s):
        while not await holds():
            await asyncio.sleep(0.02)


class World:
    """A log that grows, the rows expected of it, and the store."""

    def __init__(self, store: RedisStore) -> None:
        self.log = log_of(SOME[:1000])
        self.log.broker.wall_ms = self.wall_ms  # type: ignore[method-assign]
        self.store = store
        self._expected: dict[int, Hashes] = {}

    def wall_ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)

    async def complete(self) -> bool:
        """Say whether the store holds what a replay comes to, and says so; while the server is away it does not."""
        try:
            told = await self.store.values([row_keys.progress(stage) for stage in STAGES])
            return all(int(value or 0) for value in told) and await hashes(self.store) == await self.expected()
        except DependencyDown:
            return False

    async def expected(self) -> Hashes:
        ends = sum((await self.log.ends(SOURCES)).values())
        if ends not in self._expected:
            self._expected[ends] = (await ReplayFold(self.log, MemoryStore()).run()).hashes
        return self._expected[ends]


async def test_an_emptied_store_is_rebuilt_and_never_looks_fresh_before_it_is(server: RedisServer) -> None:
    async with (
        open_redis_store(server.url) as store,
        open_redis(server.url, 1.0) as other,
        open_store(server.url, 1.0) as client,
    ):
        world = World(store)
        expected = await world.expected()
        rows = RedisRows(client, world.wall_ms)
        progress = Progress(world.wall_ms)
        async with folding(world.log, store):
            await until(world.complete)
            await other.set("recent:{1}:ab", b"not ours")
            for _ in range(3):
                await other.flushall()
                seen_stale = 0
                async with asyncio.timeout(60):
                    while True:
                        progress.note(await rows.progress(STAGES, Deadline.after(5)))
                        fresh = len(progress._known) == 2 and min(progress._known.values()) > 0
                        if fresh:
                            break
                        seen_stale += 1
                assert seen_stale > 0
                assert await hashes(store) == expected  # fresh again: complete again
            log_of(SOME[1000:], world.log.broker)
            await until(world.complete)


async def test_an_emptying_in_the_middle_of_folding_is_noticed(server: RedisServer) -> None:
    async with open_redis_store(server.url) as store, open_redis(server.url, 1.0) as other:
        world = World(store)
        async with folding(world.log, store):
            for start in range(1000, 2000, 250):
                log_of(SOME[start : start + 250], world.log.broker)
                await asyncio.sleep(0.15)
                await other.flushall()
            await until(world.complete)


async def test_a_server_that_comes_back_from_an_older_state_is_folded_up_to_date(
    server: RedisServer, tmp_path: Path
) -> None:
    older = tmp_path.parent / f"{tmp_path.name}-older"
    async with open_redis_store(server.url, timeout_s=1.0) as store:
        world = World(store)
        async with folding(world.log, store):
            await until(world.complete)
            shutil.copytree(tmp_path / "appendonlydir", older)
            log_of(SOME[1000:1600], world.log.broker)
            await until(world.complete)
            os.kill(server.process.record.pid, signal.SIGKILL)
            await gone(server.process.record)
            shutil.rmtree(tmp_path / "appendonlydir")
            shutil.copytree(older, tmp_path / "appendonlydir")
            await server.start()
            await until(world.complete)
            log_of(SOME[1600:], world.log.broker)
            await until(world.complete)


async def test_a_server_that_comes_back_empty_is_rebuilt(server: RedisServer, tmp_path: Path) -> None:
    async with open_redis_store(server.url, timeout_s=1.0) as store:
        world = World(store)
        async with folding(world.log, store):
            await until(world.complete)
            os.kill(server.process.record.pid, signal.SIGKILL)
            await gone(server.process.record)
            shutil.rmtree(tmp_path / "appendonlydir")
            await server.start()
            await until(world.complete)
