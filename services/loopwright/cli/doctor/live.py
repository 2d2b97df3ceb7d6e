"""Checks of the mesh that a data folder's run.json names: processes, ports, health, keys and clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from loopwright.cli.doctor.finding import Finding, State
from loopwright.cli.lifecycle import service_health
from loopwright.eventlog import CONTROL, KafkaEventLog, replay
from loopwright.faults import Fault
from loopwright.lifecycle import MeshClock
from loopwright.localmesh.development_keys import environments, variables_on_published_keys
from loopwright.localmesh.ports import is_listening
from loopwright.localmesh.process import is_alive
from loopwright.localmesh.run_file import FILE_NAME, RunFile, read_run_file

UP = "start one with `loopwright up`"


async def mesh_checks(data_dir: Path) -> list[Finding]:
    """Return every finding about the folder's mesh; one alone when there is none."""
    try:
        run = read_run_file(data_dir)
    except (ValueError, TypeError, KeyError) as error:
        mend = f"remove {data_dir / FILE_NAME} after ending what it started"
        return [Finding("run.json", State.BROKEN, f"unreadable: {error}", mend)]
    if run is None:
        return [Finding("run.json", State.NOTE, "no mesh runs here", UP)]
    if not run.alive:
        left = [record.name for record in run.processes if is_alive(record)]
        found = f"stale: its supervisor {run.supervisor.pid} is gone" + (
            f", {', '.join(left)} still run" if left else ""
        )
        return [Finding("run.json", State.BROKEN, found, "`loopwright down` ends what is left and removes it")]
    if not run.addresses:
        return [Finding("run.json", State.NOTE, "the mesh is starting", "wait, or see DIR/logs/supervisor.log")]
    found = f"supervisor {run.supervisor.pid}, {len(run.processes)} processes"
    return [
        Finding("run.json", State.OK, found),
        processes(run),
        await ports(run),
        await health(run),
        development_keys(variables_on_published_keys(environments(run))),
        await clock(run),
    ]


def processes(run: RunFile) -> Finding:
    """Say whether every recorded process lives."""
    dead = [record.name for record in run.processes if not is_alive(record)]
    if dead:
        mend = "the supervisor restarts them; see DIR/logs/<name>.log when it keeps happening"
        return Finding("processes", State.BROKEN, f"not alive: {', '.join(dead)}", mend)
    return Finding("processes", State.OK, f"{len(run.processes)} alive")


async def ports(run: RunFile) -> Finding:
    """Say whether every address of run.json accepts connections."""
    silent = [name for name, address in run.addresses.items() if not await is_listening(port_of(address))]
    if silent:
        mend = "`loopwright down`, then `loopwright up`, which picks new ports"
        return Finding("ports", State.BROKEN, f"nothing listens for {', '.join(silent)}", mend)
    return Finding("ports", State.OK, f"{len(run.addresses)} answer on loopback")


def port_of(address: str) -> int:
    """Return the port of `host:port` or of a URL with one."""
    return int(address.rsplit(":", 1)[1].partition("/")[0])


async def health(run: RunFile) -> Finding:
    """Say whether every service reports itself as serving."""
    states = await service_health(run)
    failing = [name for name, serving in states.items() if not serving]
    if failing:
        mend = "see DIR/logs/<name>.log; a service that cannot load its models says which"
        return Finding("services", State.BROKEN, f"not serving: {', '.join(failing)}", mend)
    return Finding("services", State.OK, f"{len(states)} serving")


def development_keys(variables: Sequence[str]) -> Finding:
    """Say which published keys are in use: right for a machine of one's own, refused on any other binding."""
    if variables:
        mend = "set your own before anything but loopback reaches the mesh; the log's subjects depend on the key"
        return Finding("keys", State.NOTE, f"published development keys: {', '.join(variables)}", mend)
    return Finding("keys", State.OK, "your own")


async def clock(run: RunFile) -> Finding:
    """Say what time the mesh has."""
    told = MeshClock()
    try:
        async with KafkaEventLog.open(run.addresses["kafka"], producer="cli") as log:
            async for records in replay(log, [CONTROL]):
                for record in records:
                    told.apply(record)
    except Fault as fault:
        return Finding("clock", State.BROKEN, fault.message, "see DIR/logs/kafka.log")
    now = datetime.fromtimestamp(told.now_ms() / 1000, UTC).isoformat(timespec="seconds")
    if not told.offset_ms:
        return Finding("clock", State.OK, f"wall time, {now}")
    days = told.offset_ms / 86_400_000
    return Finding("clock", State.OK, f"{now}: {abs(days):.1f} days {'before' if days < 0 else 'after'} wall time")
