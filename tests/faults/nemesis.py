"""Strikes the mesh and writes every blow into the history; a service named without a number is struck whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from loopwright.localmesh.control import LocalMesh
from loopwright.localmesh.topology import SERVERS
from tests.faults.demands import EMPTY, FREEZE, HOLD, KILL
from tests.faults.history import History, Kind, fault_entry, now_ms

RESTART = "restart"


class Nemesis:
    """The faults of one scenario.

    Attributes:
        first_ms: Monotonic time of the first blow.
        ended_ms: When the last fault ended: the moment of a kill, else of letting go.
        healed_ms: When everything struck was ready again.
    """

    def __init__(self, mesh: LocalMesh, history: History, scenario: str) -> None:
        self.mesh, self._history, self._scenario = mesh, history, scenario
        self._blows = 0
        self.first_ms = self.ended_ms = self.healed_ms = 0.0

    def names(self, target: str) -> tuple[str, ...]:
        """Return the processes of a target."""
        if target in SERVERS or target in self.mesh.names:
            return (target,)
        return self.mesh.replicas_of(target)

    async def kill(self, target: str) -> None:
        """SIGKILL; the supervisor starts it again at once. Returns when it is ready."""
        await self.strike(target)
        await self.healed(target)

    async def strike(self, target: str) -> None:
        """SIGKILL, and do not wait for the next start."""
        blow = self.begin(KILL, target)
        await asyncio.gather(*(self.mesh.kill(name) for name in self.names(target)))
        self.end(KILL, target, blow)

    async def healed(self, target: str) -> None:
        """Wait until a target is ready."""
        await asyncio.gather(*(self.mesh.wait_ready(name) for name in self.names(target)))
        self.healed_ms = now_ms()

    @asynccontextmanager
    async def held(self, target: str) -> AsyncIterator[None]:
        """SIGKILL and stay down while the block runs."""
        names = self.names(target)
        await asyncio.gather(*(self.mesh.hold(name) for name in names))
        blow = self.begin(HOLD, target)
        try:
            yield
        finally:
            self.end(HOLD, target, blow)
            await asyncio.gather(*(self.mesh.release(name) for name in names))
            self.healed_ms = now_ms()

    @asynccontextmanager
    async def frozen(self, target: str) -> AsyncIterator[None]:
        """SIGSTOP while the block runs."""
        names = self.names(target)
        for name in names:
            self.mesh.freeze(name)
        blow = self.begin(FREEZE, target)
        try:
            yield
        finally:
            self.end(FREEZE, target, blow)
            for name in names:
                self.mesh.thaw(name)
            await self.healed(target)

    async def restart(self, name: str) -> None:
        """SIGTERM, its own end, and start again; it must have ended by itself."""
        blow = self.begin(RESTART, name)
        done = await self.mesh.restart(name)
        self.end(RESTART, name, blow)
        self.healed_ms = now_ms()
        assert done.by_itself, f"{name} did not end within its grace"

    async def empty_store(self) -> None:
        """Delete every key of the store."""
        blow = self.begin(EMPTY, "redis")
        async with Redis.from_url(self.mesh.layout.redis_url) as store:
            await store.flushall()
        self.end(EMPTY, "redis", blow)
        self.healed_ms = now_ms()

    def begin(self, operation: str, target: str) -> int:
        """Write down that a fault begins, and return its number."""
        self._blows += 1
        entry = fault_entry(Kind.FAULT_START, operation, target, self._blows, self._scenario)
        self.first_ms = self.first_ms or entry.at_ms
        self._history.note(entry)
        return self._blows

    def end(self, operation: str, target: str, blow: int) -> None:
        """Write down that it ended."""
        entry = fault_entry(Kind.FAULT_END, operation, target, blow, self._scenario)
        self.ended_ms = entry.at_ms
        self._history.note(entry)
