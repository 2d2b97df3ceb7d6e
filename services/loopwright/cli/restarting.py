"""`restart`: a rolling restart. Each process ends by itself, and the mesh's supervisor starts it again, one by one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, err, live_mesh, out
from loopwright.cli.progress import spinner
from loopwright.localmesh.control import READY_WITHIN_S
from loopwright.localmesh.failures import ServerDidNotStart
from loopwright.localmesh.mesh import GRACE_S
from loopwright.localmesh.process import ProcessRecord, stop_recorded
from loopwright.localmesh.run_file import RunFile, read_run_file
from loopwright.localmesh.topology import SERVERS, service_name
from loopwright.rpc import RECONNECTED_WITHIN_S

LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Rolled:
    """One restarted process: whether it ended by itself, and how long its end and its start took."""

    name: str
    by_itself: bool
    stop_s: float
    start_s: float


def restart(
    service: Annotated[str, typer.Argument(help="A service or one process; without it every service.")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Restart the services of a live mesh one process after the other, each by SIGTERM."""
    chosen = chosen_records(live_mesh(data_dir), service)
    if not chosen:
        err.print(f"no service or process is called {service}; see `loopwright status`")
        raise typer.Exit(2)
    rolled: list[Rolled] = []
    with spinner() as progress:
        task = progress.add_task("restarting", total=len(chosen))
        for record in chosen:
            progress.update(task, description=f"restarting {record.name}")
            try:
                rolled.append(asyncio.run(roll(record, data_dir)))
            except ServerDidNotStart as fault:
                err.print(fault.message)
                raise typer.Exit(1) from fault
            progress.advance(task)
    if as_json:
        out.print_json(json.dumps([asdict(one) for one in rolled]))
        return
    for one in rolled:
        how = "ended by itself" if one.by_itself else "had to be killed"
        out.print(f"{one.name} {how} after {one.stop_s:.1f} s, ready again {one.start_s:.1f} s later")


def chosen_records(present: RunFile, name: str) -> list[ProcessRecord]:
    """Return the processes of a service, the one of that name, or those of all services; the servers stay up."""
    ours = [record for record in present.processes if record.name not in SERVERS]
    return [record for record in ours if name in ("", record.name, service_name(record.name))]


async def roll(record: ProcessRecord, data_dir: Path, within_s: float = READY_WITHIN_S) -> Rolled:
    """End a process and return once callers have found the one that took its place, which `run.json` names then.

    Raises:
        ServerDidNotStart: none did in time.
    """
    clock = asyncio.get_running_loop().time
    begun = clock()
    by_itself = await stop_recorded(record, GRACE_S)
    ended = clock()
    while clock() - ended < within_s:
        present = read_run_file(data_dir)
        if present is not None and any(one.name == record.name and one != record for one in present.processes):
            back = clock()
            await asyncio.sleep(RECONNECTED_WITHIN_S)
            return Rolled(record.name, by_itself, ended - begun, back - ended)
        await asyncio.sleep(LOOK_EVERY_S)
    raise ServerDidNotStart(f"{record.name} was not back within {within_s:g} s: see its log in {data_dir / 'logs'}")
