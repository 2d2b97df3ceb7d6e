"""One process kept running: started again whenever it ends, unless it is held down or somebody restarts it.

In: a `Runnable`, and what a person or a test wants of it. Out: starts, told to a callback. `supervisor` has one keeper
for each process of the mesh.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from loopwright.faults import Fault
from loopwright.localmesh.failures import ProcessHeld, ServerDidNotStart
from loopwright.localmesh.process import POLL_S, ProcessRecord, gone
from loopwright.localmesh.turns import Turns

LOG = logging.getLogger(__name__)

PROBE_WITHIN_S = 3.0
"""A frozen server accepts connections and then says nothing."""


class Runnable(Protocol):
    """Something with one process: an embedded server or a service."""

    @property
    def name(self) -> str:
        """The process's name in logs and in `run.json`."""
        ...

    @property
    def exit_code(self) -> int | None:
        """The exit code, None while it runs."""
        ...

    async def start(self) -> ProcessRecord:
        """Start it, again after a crash, and return when it is ready."""
        ...

    async def stop(self) -> bool:
        """End it and say whether it ended by itself within its grace; does nothing when it already ended."""
        ...

    async def answers(self) -> bool:
        """Say whether it is ready now."""
        ...

    def send(self, number: signal.Signals) -> ProcessRecord | None:
        """Send a signal to the process's whole group and return whom it reached, None when nothing runs."""
        ...


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How crashes are met: the first restart is immediate, each further one waits twice as long.

    Attributes:
        first_wait_s: wait before the second restart in a row.
        longest_wait_s: no wait is longer; what waits for Kafka or Redis is woken when that is back.
        settled_after_s: a process that ran this long starts again with no wait.
        look_every_s: how often a process is looked at.
    """

    first_wait_s: float = 0.5
    longest_wait_s: float = 5.0
    settled_after_s: float = 60.0
    look_every_s: float = 0.2

    def wait_s(self, restarts_in_a_row: int) -> float:
        """Return the wait before the next restart, in seconds, after so many without settling."""
        if restarts_in_a_row == 0:
            return 0.0
        return min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(restarts_in_a_row - 1, 30))


@dataclass(frozen=True, slots=True)
class Restarted:
    """A graceful restart: whether the process ended by itself within its grace, and how long each half took."""

    name: str
    by_itself: bool
    exit_code: int | None
    stop_s: float
    start_s: float


class Keeper:
    """Keeps one process running.

    Attributes:
        held: it is down because somebody said so.
        frozen: it was sent SIGSTOP and has neither been thawed nor started anew since.
        restarts: starts after the first, whatever their cause.
        unasked_ends: ends that no call of this object caused.
    """

    def __init__(
        self,
        runnable: Runnable,
        policy: RestartPolicy,
        started: Callable[[ProcessRecord], None],
        turns: Turns | None = None,
    ) -> None:
        """Take what to keep running; `started` is told the record of every start; `turns` are those of all keepers."""
        self.held = self.frozen = False
        self.restarts = self.unasked_ends = 0
        self._runnable, self._policy, self._started = runnable, policy, started
        self._turns = turns or Turns()
        self._ever = self._up = False
        self._in_a_row = 0
        self._starting = asyncio.Lock()
        self._hurried = asyncio.Event()

    async def start(self) -> None:
        """Start it and return when it is ready.

        Raises:
            Fault: it did not start.
        """
        async with self._starting:
            await self._start()

    async def stop(self) -> None:
        """End it."""
        await self._runnable.stop()

    async def keep(self) -> None:
        """Start it again whenever it ends, until cancelled."""
        clock = asyncio.get_running_loop().time
        since = clock()
        while True:
            await asyncio.sleep(self._policy.look_every_s)
            if self._starting.locked() or not self._to_start():
                continue
            if self._up:
                self._up = False
                self.unasked_ends += 1
            if clock() - since >= self._policy.settled_after_s:
                self._in_a_row = 0
            LOG.warning("%s ended with %s and is started again", self._runnable.name, self._runnable.exit_code)
            await self._wait(self._policy.wait_s(self._in_a_row))
            async with self._turns.taken(), self._starting:
                if not self._to_start():
                    continue
                self._in_a_row += 1
                since = clock()
                try:
                    await self._start()
                except (Fault, OSError) as error:
                    LOG.error("%s did not start again: %s", self._runnable.name, error)

    def hurry(self) -> None:
        """End a wait before a restart: what the process waits for is back."""
        self._hurried.set()

    async def kill(self) -> None:
        """End it with SIGKILL and return when it is dead; it is started again as after a crash."""
        self._up = False
        await gone(self._runnable.send(signal.SIGKILL))
        if self._runnable.exit_code is not None:
            self._up = False  # a start that ended between the two lines had set it again

    async def hold(self) -> None:
        """End it with SIGKILL and keep it down; a start that is under way is ended too."""
        self.held = True
        await self.kill()
        async with self._starting:
            await self.kill()

    async def release(self, within_s: float) -> float:
        """Let it run again and return the seconds until it was ready.

        Raises:
            ServerDidNotStart: it was not ready in time; it is still tried.
        """
        self.held = False
        self._in_a_row = 0
        self.hurry()
        return await self.wait_ready(within_s)

    async def restart(self) -> Restarted:
        """End it with SIGTERM, wait for its own end, start it and return when it is ready.

        Raises:
            ProcessHeld: it is held down.
            Fault: it did not start again; it is still tried.
        """
        clock = asyncio.get_running_loop().time
        async with self._starting:
            if self.held:
                raise ProcessHeld(f"{self._runnable.name} is held down: release it first")
            self._up = False
            begun = clock()
            by_itself = await self._runnable.stop()
            code, ended = self._runnable.exit_code, clock()
            await self._start()
        return Restarted(self._runnable.name, by_itself, code, ended - begun, clock() - ended)

    def freeze(self) -> None:
        """Stop its whole group with SIGSTOP: it keeps its connections and answers nothing."""
        self.frozen = self._runnable.send(signal.SIGSTOP) is not None

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._runnable.send(signal.SIGCONT)
        self.frozen = False

    async def ready(self) -> bool:
        """Say whether it is up and answers now."""
        if not self._up or self._runnable.exit_code is not None:
            return False
        try:
            async with asyncio.timeout(PROBE_WITHIN_S):
                return await self._runnable.answers()
        except TimeoutError:
            return False

    async def wait_ready(self, within_s: float) -> float:
        """Return the seconds until it was ready.

        Raises:
            ServerDidNotStart: it was not in time.
        """
        clock = asyncio.get_running_loop().time
        begun = clock()
        while not await self.ready():
            if clock() - begun >= within_s:
                raise ServerDidNotStart(f"{self._runnable.name} was not ready within {within_s:g} s")
            await asyncio.sleep(POLL_S)
        return clock() - begun

    def _to_start(self) -> bool:
        return not self.held and self._runnable.exit_code is not None

    async def _start(self) -> None:
        self._up = False
        record = await self._runnable.start()
        self._up, self.frozen = True, False
        self.restarts += self._ever
        self._ever = True
        self._started(record)

    async def _wait(self, wait_s: float) -> None:
        self._hurried.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._hurried.wait()
