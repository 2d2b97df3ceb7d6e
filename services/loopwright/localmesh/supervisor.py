"""Start processes in stages, restart what crashes, stop in the reverse order.

In: stages of `Runnable`s, each of which knows when it is ready. Out: a mesh whose process records are told to a
callback at every change. `loopwright up` runs one supervisor per data folder.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from loopwright.faults import Fault
from loopwright.localmesh.process import ManagedProcess, ProcessRecord, ProcessSpec

LOG = logging.getLogger(__name__)


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

    async def stop(self) -> None:
        """End it; does nothing when it already ended."""
        ...


class ServiceProcess:
    """A service of ours as a process: ready when its probe says so."""

    def __init__(
        self, spec: ProcessSpec, ready: Callable[[], Awaitable[bool]], *, within_s: float, grace_s: float
    ) -> None:
        self.name = spec.name
        self._process = ManagedProcess(spec)
        self._ready = ready
        self._within_s = within_s
        self._grace_s = grace_s

    @property
    def exit_code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.exit_code

    async def start(self) -> ProcessRecord:
        """Spawn it and return when it is ready.

        Raises:
            ServerDidNotStart: it ended, or was not ready in time; it is stopped then.
        """
        await self.stop()
        record = self._process.start()
        try:
            await self._process.wait_ready(self._ready, self._within_s)
        except BaseException:
            await self.stop()
            raise
        return record

    async def stop(self) -> None:
        """End it: SIGTERM, then SIGKILL after its grace."""
        await self._process.stop(self._grace_s)


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How crashes are met: the first restart is immediate, each further one waits twice as long.

    Attributes:
        first_wait_s: wait before the second restart in a row.
        longest_wait_s: no wait is longer.
        settled_after_s: a process that ran this long starts again with no wait.
        look_every_s: how often a process is looked at.
    """

    first_wait_s: float = 0.5
    longest_wait_s: float = 15.0
    settled_after_s: float = 60.0
    look_every_s: float = 0.2

    def wait_s(self, restarts_in_a_row: int) -> float:
        """Return the wait before the next restart, in seconds, after so many without settling."""
        if restarts_in_a_row == 0:
            return 0.0
        return min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(restarts_in_a_row - 1, 30))


class Supervisor:
    """Keeps the processes of one mesh running."""

    def __init__(
        self,
        stages: Sequence[Sequence[Runnable]],
        changed: Callable[[Mapping[str, ProcessRecord]], None],
        policy: RestartPolicy | None = None,
    ) -> None:
        self._stages = stages
        self._changed = changed
        self._policy = policy or RestartPolicy()
        self._records: dict[str, ProcessRecord] = {}

    @property
    def records(self) -> dict[str, ProcessRecord]:
        """Who runs now, by name."""
        return dict(self._records)

    async def start(self, progress: Callable[[str], None] | None = None) -> None:
        """Start stage after stage, each stage side by side; `progress` is told the name of what got ready.

        Raises:
            ExceptionGroup: of the faults of what did not start; all that did is stopped again.
        """

        async def start_one(runnable: Runnable) -> None:
            await self._start_one(runnable)
            if progress:
                progress(runnable.name)

        try:
            for stage in self._stages:
                async with asyncio.TaskGroup() as group:
                    for runnable in stage:
                        group.create_task(start_one(runnable))
        except BaseException:
            await self.stop()
            raise

    async def watch(self) -> None:
        """Restart whatever ends, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for stage in self._stages:
                for runnable in stage:
                    group.create_task(self._keep_running(runnable))

    async def stop(self) -> None:
        """Stop the stages in reverse order, each stage side by side."""
        for stage in reversed(self._stages):
            async with asyncio.TaskGroup() as group:
                for runnable in stage:
                    group.create_task(runnable.stop())

    async def _start_one(self, runnable: Runnable) -> None:
        self._records[runnable.name] = await runnable.start()
        self._changed(dict(self._records))

    async def _keep_running(self, runnable: Runnable) -> None:
        clock = asyncio.get_running_loop().time
        restarts, since = 0, clock()
        while True:
            await asyncio.sleep(self._policy.look_every_s)
            code = runnable.exit_code
            if code is None:
                continue
            if clock() - since >= self._policy.settled_after_s:
                restarts = 0
            LOG.warning("%s ended with %s and is started again", runnable.name, code)
            await asyncio.sleep(self._policy.wait_s(restarts))
            restarts += 1
            since = clock()
            try:
                await self._start_one(runnable)
            except Fault as fault:
                LOG.error("%s did not start again: %s", runnable.name, fault)
