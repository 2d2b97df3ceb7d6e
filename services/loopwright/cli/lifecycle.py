"""`up`, `down` and `status`: start the mesh behind a supervisor, end exactly what it started, say how it is."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, err, live_mesh, out
from loopwright.cli.progress import spinner
from loopwright.faults import InvalidRequest
from loopwright.localmesh.mesh import running_mesh, stranded_outboxes
from loopwright.localmesh.probes import answering, serving
from loopwright.localmesh.process import is_alive, stop_recorded
from loopwright.localmesh.run_file import RunFile, read_run_file, remove_run_file
from loopwright.localmesh.topology import SERVERS, SERVICES, instance_names, instances
from loopwright.rpc import run, stop_requested

UP_WITHIN_S = 180.0
DOWN_GRACE_S = 60.0
LOOK_EVERY_S = 0.2


def parse_replicas(words: Sequence[str]) -> dict[str, int]:
    """Return service -> number of replicas of words like `ranking=2`.

    Raises:
        typer.BadParameter: A word is no such pair, or there can be no such replicas.
    """
    pairs = [word.partition("=") for word in words]
    wrong = [word for word, (_, _, count) in zip(words, pairs, strict=True) if not count.isdecimal()]
    if wrong:
        raise typer.BadParameter(f"{', '.join(wrong)}: write SERVICE=N", param_hint="--replicas")
    replicas = {service: int(count) for service, _, count in pairs}
    try:
        instances(replicas)
    except InvalidRequest as refused:
        raise typer.BadParameter(refused.message, param_hint="--replicas") from refused
    return replicas


def up(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, and stop with Ctrl-C.")] = False,
    replicas: Annotated[
        list[str] | None, typer.Option("--replicas", metavar="SERVICE=N", help="Run N of a service; repeatable.")
    ] = None,
) -> None:
    """Start Kafka, Redis and every service; return when all are ready."""
    counts = parse_replicas(replicas or [])
    present = read_run_file(data_dir)
    if present is not None and present.alive:
        out.print(f"already up in {data_dir} (supervisor {present.supervisor.pid})")
        return
    if stranded := stranded_outboxes(data_dir, counts):
        err.print(f"records wait in the outbox of {', '.join(stranded)}: start with as many replicas once more")
        raise typer.Exit(1)
    if foreground:
        run(lambda: _serve(data_dir, tell=True, replicas=counts))
        return
    started = time.monotonic()
    _wait_until_ready(data_dir, start_supervisor(data_dir, counts), len(instances(counts)) + len(SERVERS))
    out.print(f"up in {time.monotonic() - started:.1f} s, data in {data_dir}")


def start_supervisor(data_dir: Path, replicas: Mapping[str, int] | None = None) -> subprocess.Popen[bytes]:
    """Start the supervisor of a data folder as a process that outlives this one; `run.json` tells when all is ready."""
    pairs = [f"{service}={count}" for service, count in (replicas or {}).items()]
    logs = data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "loopwright.cli.lifecycle", os.fspath(data_dir.resolve()), *pairs],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_ready(data_dir: Path, child: subprocess.Popen[bytes], total: int) -> None:
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
    """Return process -> whether it serves, by gRPC health or, for a consumer, by its metrics endpoint."""
    states: dict[str, bool] = {}
    for service in SERVICES:
        for name in instance_names(service, present.addresses):
            if service.rpc:
                states[name] = await serving(present.addresses[name])
            else:
                states[name] = await answering(f"http://{present.addresses[f'{name}.metrics']}/metrics")
    return states


async def _serve(data_dir: Path, *, tell: bool, replicas: Mapping[str, int]) -> None:
    """Run the mesh until a signal asks for its end; one that comes during the start ends what has started too."""
    mesh = asyncio.create_task(_run_mesh(data_dir, tell=tell, replicas=replicas))
    stop = asyncio.create_task(stop_requested())
    await asyncio.wait({mesh, stop}, return_when=asyncio.FIRST_COMPLETED)
    for task in (mesh, stop):
        task.cancel()
    ended, _ = await asyncio.gather(mesh, stop, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended


async def _run_mesh(data_dir: Path, *, tell: bool, replicas: Mapping[str, int]) -> None:
    progress = (lambda name: err.print(f"{name} ready")) if tell else None
    async with running_mesh(data_dir, progress, replicas=replicas):
        if tell:
            err.print("ready; Ctrl-C stops the mesh")
        await asyncio.Event().wait()


if __name__ == "__main__":
    run(lambda: _serve(Path(sys.argv[1]), tell=False, replicas=parse_replicas(sys.argv[2:])))
