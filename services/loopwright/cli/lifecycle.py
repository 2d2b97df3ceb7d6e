"""`up`, `down` and `status`: start the mesh behind a supervisor, end exactly what it started, say how it is."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, err, live_mesh, out
from loopwright.cli.progress import spinner
from loopwright.localmesh.mesh import answering, running_mesh, serving
from loopwright.localmesh.process import is_alive, stop_recorded
from loopwright.localmesh.run_file import RunFile, read_run_file, remove_run_file
from loopwright.localmesh.topology import SERVICES
from loopwright.rpc import run, stop_requested

UP_WITHIN_S = 180.0
DOWN_GRACE_S = 60.0
LOOK_EVERY_S = 0.2


def up(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, and stop with Ctrl-C.")] = False,
) -> None:
    """Start Kafka, Redis and every service; return when all are ready."""
    present = read_run_file(data_dir)
    if present is not None and present.alive:
        out.print(f"already up in {data_dir} (supervisor {present.supervisor.pid})")
        return
    if foreground:
        run(lambda: _serve(data_dir, tell=True))
        return
    started = time.monotonic()
    _wait_until_ready(data_dir, start_supervisor(data_dir))
    out.print(f"up in {time.monotonic() - started:.1f} s, data in {data_dir}")


def start_supervisor(data_dir: Path) -> subprocess.Popen[bytes]:
    """Start the supervisor of a data folder as a process that outlives this one; `run.json` tells when all is ready."""
    logs = data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "loopwright.cli.lifecycle", os.fspath(data_dir.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_ready(data_dir: Path, child: subprocess.Popen[bytes]) -> None:
    total = len(SERVICES) + 2
    with spinner() as progress:
        task = progress.add_task("starting", total=total)
        until = time.monotonic() + UP_WITHIN_S
        while time.monotonic() < until:
            present = read_run_file(data_dir)
            if child.poll() is not None:
                break
            if present is not None:
                progress.update(task, description=f"starting, {len(present.processes)} of {total} ready")
                if present.addresses:
                    return
            time.sleep(LOOK_EVERY_S)
    if child.poll() is None:
        child.terminate()
        child.wait()
    err.print(f"the mesh did not start: see {data_dir / 'logs' / 'supervisor.log'} and the logs beside it")
    raise typer.Exit(1)


def down(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """End exactly the processes of this data folder's mesh."""
    present = read_run_file(data_dir)
    if present is None:
        out.print(f"nothing is up in {data_dir}")
        return
    with spinner() as progress:
        progress.add_task("stopping", total=None)
        asyncio.run(end_mesh(present))
    remove_run_file(data_dir)
    out.print(f"down: {len(present.processes)} processes ended")


async def end_mesh(present: RunFile) -> None:
    """End exactly the processes of a run file, the supervisor first: it stops what it started in order."""
    await stop_recorded(present.supervisor, DOWN_GRACE_S)
    for record in reversed(present.processes):
        await stop_recorded(record, DOWN_GRACE_S)


def status(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Say which processes run, whether they serve, and where."""
    present = live_mesh(data_dir)
    health = asyncio.run(service_health(present))
    rows = [
        {
            "name": record.name,
            "pid": record.pid,
            "alive": is_alive(record),
            "serving": health.get(record.name),
            "address": present.addresses.get(record.name, present.addresses.get(f"{record.name}.metrics", "")),
        }
        for record in present.processes
    ]
    if as_json:
        out.print_json(json.dumps({"processes": rows, "addresses": dict(present.addresses)}))
    else:
        table = Table("process", "pid", "state", "address")
        for row in rows:
            state = "serving" if row["serving"] else "alive" if row["alive"] else "dead"
            table.add_row(str(row["name"]), str(row["pid"]), state, str(row["address"]))
        out.print(table)
    if not all(row["alive"] and row["serving"] is not False for row in rows):
        raise typer.Exit(1)


async def service_health(present: RunFile) -> dict[str, bool]:
    """Return service -> whether it serves, by gRPC health or, for a consumer, by its metrics endpoint."""
    states: dict[str, bool] = {}
    for service in SERVICES:
        if service.rpc:
            states[service.name] = await serving(present.addresses[service.name])
        else:
            states[service.name] = await answering(f"http://{present.addresses[f'{service.name}.metrics']}/metrics")
    return states


async def _serve(data_dir: Path, *, tell: bool) -> None:
    """Run the mesh until a signal asks for its end; one that comes during the start ends what has started too."""
    mesh = asyncio.create_task(_run_mesh(data_dir, tell=tell))
    stop = asyncio.create_task(stop_requested())
    await asyncio.wait({mesh, stop}, return_when=asyncio.FIRST_COMPLETED)
    for task in (mesh, stop):
        task.cancel()
    ended, _ = await asyncio.gather(mesh, stop, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended


async def _run_mesh(data_dir: Path, *, tell: bool) -> None:
    async with running_mesh(data_dir, progress=(lambda name: err.print(f"{name} ready")) if tell else None):
        if tell:
            err.print("ready; Ctrl-C stops the mesh")
        await asyncio.Event().wait()


if __name__ == "__main__":
    run(lambda: _serve(Path(sys.argv[1]), tell=False))
