"""First and last: the mesh of the demo's folder behind its own supervisor, and its end, whatever happened between."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

from loopwright.cli.demo.scene import DemoFailed, Scene
from loopwright.cli.lifecycle import UP_WITHIN_S, end_mesh, start_supervisor
from loopwright.localmesh.run_file import read_run_file, remove_run_file
from loopwright.localmesh.topology import SERVICES

LOOK_EVERY_S = 0.1
STOP_WITHIN_S = 60.0


class Mesh:
    """The one mesh of a demo; `stop` may be called at any time, also when `start` was cut off."""

    def __init__(self, folder: Path) -> None:
        """Take the demo's data folder."""
        self._folder = folder
        self._supervisor: subprocess.Popen[bytes] | None = None

    async def start(self, scene: Scene) -> str:
        """Start it and wait until every service is ready.

        Raises:
            DemoFailed: It did not start; the supervisor's log says why.
        """
        total = len(SERVICES) + 2
        task = scene.progress.add_task("processes ready", total=total)
        supervisor = self._supervisor = start_supervisor(self._folder)
        until = time.monotonic() + UP_WITHIN_S
        while time.monotonic() < until and supervisor.poll() is None:
            present = read_run_file(self._folder)
            if present is not None:
                scene.progress.update(task, completed=len(present.processes))
                if present.addresses:
                    scene.addresses = present.addresses
                    return f"{len(present.processes)} processes"
            await asyncio.sleep(LOOK_EVERY_S)
        raise DemoFailed("the mesh did not start; see supervisor.log")

    async def stop(self) -> None:
        """End every process of it."""
        present = read_run_file(self._folder)
        if present is not None:
            await end_mesh(present)
        supervisor = self._supervisor
        if supervisor is not None and supervisor.poll() is None:
            supervisor.terminate()
            await asyncio.to_thread(supervisor.wait, STOP_WITHIN_S)
        # A supervisor that was only starting may have written more since.
        late = read_run_file(self._folder)
        if late is not None:
            await end_mesh(late)
            remove_run_file(self._folder)
