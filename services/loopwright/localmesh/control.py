"""A running mesh as its owner holds it: where everything is, and each process by name to kill, freeze or restart.

`mesh.running_mesh` yields it; tests under faults and rolling restarts call it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from loopwright.localmesh.failures import UnknownProcess
from loopwright.localmesh.keeping import Keeper, Restarted
from loopwright.localmesh.process import ProcessRecord
from loopwright.localmesh.supervisor import Supervisor
from loopwright.localmesh.topology import SERVERS, Layout
from loopwright.rpc import RECONNECTED_WITHIN_S

READY_WITHIN_S = 90.0
"""A service folds the log before it is ready."""


class LocalMesh:
    """The processes of one mesh. A name is that of `run.json`: `kafka`, `redis`, `policy`, `ranking-0`.

    Every method that takes a name raises `UnknownProcess` when no process has it.
    """

    def __init__(self, layout: Layout, supervisor: Supervisor) -> None:
        """Take a started supervisor that is watching, and the layout of what it runs."""
        self.layout = layout
        self._supervisor = supervisor

    @property
    def data_dir(self) -> Path:
        """The mesh's folder."""
        return self.layout.data_dir

    @property
    def names(self) -> tuple[str, ...]:
        """Every process: the embedded servers, then those of the services."""
        return (*SERVERS, *(instance.name for instance in self.layout.instances))

    def addresses(self) -> dict[str, str]:
        """Return name -> address of everything, as in `run.json`."""
        return self.layout.addresses()

    def replicas_of(self, service: str) -> tuple[str, ...]:
        """Return the names of a service's processes.

        Raises:
            UnknownProcess: no service has this name.
        """
        found = tuple(instance.name for instance in self.layout.instances if instance.service.name == service)
        if not found:
            raise UnknownProcess(f"no service is called {service!r}")
        return found

    def record(self, name: str) -> ProcessRecord:
        """Return who the process is, by its newest start; it may be dead."""
        self._keeper(name)
        return self._supervisor.records[name]

    async def kill(self, name: str) -> None:
        """End it with SIGKILL; return when it is dead. It is started again as after any crash."""
        await self._keeper(name).kill()

    async def hold(self, name: str) -> None:
        """End it with SIGKILL and keep it down; return when it is dead."""
        await self._keeper(name).hold()

    async def release(self, name: str, within_s: float = READY_WITHIN_S) -> float:
        """Start what was held; return the seconds until it was ready.

        Raises:
            ServerDidNotStart: it was not ready in time; it is still tried.
        """
        return await self._keeper(name).release(within_s)

    def freeze(self, name: str) -> None:
        """Stop it where it is with SIGSTOP: its connections stay open, it answers nothing, it is not restarted."""
        self._keeper(name).freeze()

    def thaw(self, name: str) -> None:
        """Let a frozen process go on."""
        self._keeper(name).thaw()
        self._supervisor.hurry_behind(name)

    async def restart(self, name: str) -> Restarted:
        """Restart it gracefully: SIGTERM, its own end within its grace, start; return when callers have found it.

        Raises:
            ProcessHeld: it is held down.
            Fault: it did not start again; it is still tried.
        """
        restarted = await self._keeper(name).restart()
        await asyncio.sleep(RECONNECTED_WITHIN_S)
        return restarted

    async def ready(self, name: str) -> bool:
        """Say whether it is up and answers now."""
        return await self._keeper(name).ready()

    async def wait_ready(self, name: str, within_s: float = READY_WITHIN_S) -> float:
        """Return the seconds until it was ready; after `kill` that is the new process.

        Raises:
            ServerDidNotStart: it was not in time.
        """
        return await self._keeper(name).wait_ready(within_s)

    def held(self, name: str) -> bool:
        """Say whether it is kept down."""
        return self._keeper(name).held

    def frozen(self, name: str) -> bool:
        """Say whether it is frozen."""
        return self._keeper(name).frozen

    def restarts(self, name: str) -> int:
        """Return how often it was started after the first time, whatever the cause."""
        return self._keeper(name).restarts

    def unasked_ends(self, name: str) -> int:
        """Return how often it ended when no call of this object had ended it."""
        return self._keeper(name).unasked_ends

    def _keeper(self, name: str) -> Keeper:
        if name not in self.names:
            raise UnknownProcess(f"no process is called {name!r}; there are {', '.join(self.names)}")
        return self._supervisor.keeper(name)
