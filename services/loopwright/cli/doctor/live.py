"""Checks of the mesh that a data folder's run.json names: processes, ports, health, keys and clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from loopwright.cli.doctor.finding import Finding, State
from loopwright.cli.doctor.keys import in_use
from loopwright.cli.lifecycle import service_health
from loopwright.eventlog import CONTROL, KafkaEventLog, replay
from loopwright.faults import Fault
from loopwright.lifecycle import MeshClock
from loopwright.localmesh.development_keys import environments, variables_on_published_keys
from loopwright.localmesh.ports import is_listening
from loopwright.localmesh.process import ProcessRecord, is_alive
from loopwright.localmesh.run_file import FILE_NAME, RunFile, read_run_file


async def mesh_checks(data_dir: Path) -> list[Finding]:
    """Return every finding about the folder's mesh; one alone when there is none."""
    down = f"`loopwright down --data-dir {data_dir}`"
    try:
        run = read_run_file(data_dir)
    except (ValueError, TypeError, KeyError) as error:
        mend = f"end what `pgrep -af loopwright` lists, then `rm {data_dir / FILE_NAME}`"
        return [Finding("run.json", State.BROKEN, f"unreadable: {error}", mend)]
    if run is None:
        return [Finding("run.json", State.NOTE, "no mesh runs here", f"`loopwright up --data-dir {data_dir}`")]
    if not run.alive:
        left = [record.name for record in run.processes if is_alive(record)]
        found = f"stale: its supervisor {run.supervisor.pid} is gone" + (
            f", {', '.join(left)} still run" if left else ""
        )
        return [Finding("run.json", State.BROKEN, found, f"{down} ends what is left and removes it")]
    logs = data_dir / "logs"
    if not run.addresses:
        mend = f"wait, or `tail -n 50 {logs / 'supervisor.log'}`"
        return [Finding("run.json", State.NOTE, "the mesh is starting", mend)]
    found = f"supervisor {run.supervisor.pid}, {len(run.processes)} processes"
    return [
        Finding("run.json", State.OK, found),
        processes(run, logs),
        await ports(run, f"{down}, then `loopwright up --data-dir {data_dir}`, which picks new ports"),
        await health(run, logs),
        in_use(variables_on_published_keys(environments(run))),
        await clock(run, logs),
    ]


def processes(run: RunFile, logs: Path) -> Finding:
    """Say whether every recorded process lives."""
    dead = [record.name for record in run.processes if not is_alive(record)]
    if dead:
        mend = f"{_tail(logs, dead)} says why; the supervisor starts it again"
        return Finding("processes", State.BROKEN, f"not alive: {', '.join(dead)}", mend)
    return Finding("processes", State.OK, f"{len(run.processes)} alive")


async def ports(run: RunFile, mend: str) -> Finding:
    """Say whether every address of run.json is answered, and by the process that it names."""
    silent = [name for name, address in run.addresses.items() if not await is_listening(port_of(address))]
    if silent:
        return Finding("ports", State.BROKEN, f"nothing listens for {', '.join(silent)}", mend)
    strangers = [
        f"{name} at {port_of(run.addresses[name])} is answered by {holder(port_of(run.addresses[name]))}"
        for record in run.processes
        for name in (record.name, f"{record.name}.metrics")
        if name in run.addresses and port_of(run.addresses[name]) not in listened(record, port_of(run.addresses[name]))
    ]
    if strangers:
        return Finding("ports", State.BROKEN, "; ".join(strangers), mend)
    return Finding("ports", State.OK, f"{len(run.addresses)} answer on loopback, each from its own process")


def listened(record: ProcessRecord, otherwise: int) -> set[int]:
    """Return the ports that a process and its children listen on; `otherwise` alone when that cannot be told."""
    try:
        process = psutil.Process(record.pid)
        family = [process, *process.children(recursive=True)]
        return {port for member in family for _, port in _listening(member.net_connections(kind="tcp"))}
    except psutil.Error:  # it ended meanwhile, which `processes` tells, or is another user's
        return {otherwise}


def holder(port: int) -> str:
    """Return who listens on a port, as far as this user may know."""
    try:
        found = [pid for pid, taken in _listening(psutil.net_connections(kind="tcp")) if taken == port and pid]
        return f"{psutil.Process(found[0]).name()} (pid {found[0]})" if found else "another process"
    except psutil.Error:
        return "another process"


def _listening(connections: Sequence[Any]) -> list[tuple[int | None, int]]:
    """Return (pid, port) of the connections that listen; a process's own have no pid."""
    return [(getattr(c, "pid", None), c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN]


def port_of(address: str) -> int:
    """Return the port of `host:port` or of a URL with one."""
    return int(address.rsplit(":", 1)[1].partition("/")[0])


async def health(run: RunFile, logs: Path) -> Finding:
    """Say whether every service reports itself as serving."""
    states = await service_health(run)
    failing = [name for name, serving in states.items() if not serving]
    if failing:
        mend = f"{_tail(logs, failing)} says why; `loopwright restart {failing[0]} --data-dir {logs.parent}`"
        return Finding("services", State.BROKEN, f"not serving: {', '.join(failing)}", mend)
    return Finding("services", State.OK, f"{len(states)} serving")


async def clock(run: RunFile, logs: Path) -> Finding:
    """Say what time the mesh has."""
    told = MeshClock()
    try:
        async with KafkaEventLog.open(run.addresses["kafka"], producer="cli") as log:
            async for records in replay(log, [CONTROL]):
                for record in records:
                    told.apply(record)
    except Fault as fault:
        return Finding("clock", State.BROKEN, fault.message, _tail(logs, ["kafka"]))
    now = datetime.fromtimestamp(told.now_ms() / 1000, UTC).isoformat(timespec="seconds")
    if not told.offset_ms:
        return Finding("clock", State.OK, f"wall time, {now}")
    days = told.offset_ms / 86_400_000
    return Finding("clock", State.OK, f"{now}: {abs(days):.1f} days {'before' if days < 0 else 'after'} wall time")


def _tail(logs: Path, names: Sequence[str]) -> str:
    return f"`tail -n 50 {' '.join(str(logs / f'{name}.log') for name in names)}`"
