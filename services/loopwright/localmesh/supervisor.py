"""Start processes in stages, keep them running, stop in the reverse order.

In: stages of `Runnable`s, each of which knows when it is ready. Out: a mesh whose process records are told to a
callback at every change. `loopwright up` runs one supervisor per data folder.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence

from loopwright.localmesh.failures import UnknownProcess
from loopwright.localmesh.keeping import Keeper, RestartPolicy, Runnable
from loopwright.localmesh.process import ManagedProcess, ProcessRecord, ProcessSpec
from loopwright.localmesh.turns import Turns


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

    async def stop(self) -> bool:
        """End it: SIGTERM, then SIGKILL after its grace; say whether it ended by itself."""
        return await self._process.stop(self._grace_s)

    async def answers(self) -> bool:
        """Say whether its probe finds it ready."""
        return await self._ready()

    def send(self, number: signal.Signals) -> ProcessRecord | None:
        """Send a signal to its group."""
        return self._process.send(number)


class Supervisor:
    """Keeps the processes of one mesh running."""

    def __init__(
        self,
        stages: Sequence[Sequence[Runnable]],
        changed: Callable[[Mapping[str, ProcessRecord]], None],
        policy: RestartPolicy | None = None,
    ) -> None:
        self._changed = changed
        self._records: dict[str, ProcessRecord] = {}
        chosen = policy or RestartPolicy()
        self._stages: list[dict[str, Keeper]] = []
        for stage in stages:
            turns = Turns()  # of each stage its own: no service waits while Kafka takes its turn
            self._stages.append({one.name: Keeper(one, chosen, self._started, turns) for one in stage})

    @property
    def records(self) -> dict[str, ProcessRecord]:
        """Who runs now, by name, in the order of the first starts."""
        return dict(self._records)

    def keeper(self, name: str) -> Keeper:
        """Return what keeps a process running.

        Raises:
            UnknownProcess: no process has this name.
        """
        for stage in self._stages:
            if name in stage:
                return stage[name]
        raise UnknownProcess(f"no process is called {name!r}")

    async def start(self, progress: Callable[[str], None] | None = None) -> None:
        """Start stage after stage, each stage side by side; `progress` is told the name of what got ready.

        Raises:
            ExceptionGroup: of the faults of what did not start; all that did is stopped again.
        """

        async def start_one(name: str, keeper: Keeper) -> None:
            await keeper.start()
            if progress:
                progress(name)

        try:
            for stage in self._stages:
                async with asyncio.TaskGroup() as group:
                    for name, keeper in stage.items():
                        group.create_task(start_one(name, keeper))
        except BaseException:
            await self.stop()
            raise

    async def watch(self) -> None:
        """Restart whatever ends, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for stage in self._stages:
                for keeper in stage.values():
                    group.create_task(keeper.keep())

    async def stop(self) -> None:
        """Stop the stages in reverse order, each stage side by side."""
        for stage in reversed(self._stages):
            async with asyncio.TaskGroup() as group:
                for keeper in stage.values():
                    group.create_task(keeper.stop())

    def hurry_behind(self, name: str) -> None:
        """Wake the restarts of the stages behind a process that is back: what they waited for may be it."""
        (stage,) = [number for number, stage in enumerate(self._stages) if name in stage]
        for later in self._stages[stage + 1 :]:
            for keeper in later.values():
                keeper.hurry()

    def _started(self, record: ProcessRecord) -> None:
        self._records[record.name] = record
        self.hurry_behind(record.name)
        self._changed(dict(self._records))
