"""`loopwright doctor`: runs every check, prints what was found and how to mend it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table

from loopwright.cli.doctor import machine
from loopwright.cli.doctor.finding import Finding, State
from loopwright.cli.doctor.live import mesh_checks
from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, out
from loopwright.cli.progress import spinner
from loopwright.localmesh.paths import cache_dir

BROKEN = 1


def doctor(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Look for the commonest faults of a set-up and say the mend of each; exit code 1 when something is broken."""
    with spinner() as progress:
        task = progress.add_task("looking", total=None)
        findings = examine(data_dir, cache_dir(), lambda name: progress.update(task, description=name))
    broken = any(finding.state is State.BROKEN for finding in findings)
    if as_json:
        out.print_json(json.dumps({"broken": broken, "findings": [asdict(finding) for finding in findings]}))
    else:
        out.print(findings_table(findings))
    if broken:
        raise typer.Exit(BROKEN)


def examine(data_dir: Path, cache: Path, told: Callable[[str], object] = lambda name: None) -> list[Finding]:
    """Return the finding of every check, those of the machine first; `told` is given the name of each look."""
    looks: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("python", lambda: [machine.python_version()]),
        ("java", lambda: [machine.java()]),
        ("kafka jars", lambda: [machine.kafka_jars(cache)]),
        ("redis", lambda: [machine.redis_server()]),
        ("data set", lambda: [machine.data_set(cache)]),
        ("data folder", lambda: [machine.data_folder(data_dir)]),
        ("disk", lambda: [machine.disk_space(data_dir)]),
        ("model store", lambda: [machine.model_store(data_dir)]),
        ("mesh", lambda: asyncio.run(mesh_checks(data_dir))),
    ]
    findings: list[Finding] = []
    for name, look in looks:
        told(name)
        findings += look()
    return findings


def findings_table(findings: list[Finding]) -> Table:
    """Return the findings as a table."""
    colours = {State.OK: "green", State.NOTE: "yellow", State.BROKEN: "bold red"}
    table = Table("check", "state")
    for header in ("found", "mend"):
        table.add_column(header, overflow="fold")
    for finding in findings:
        colour = colours[finding.state]
        table.add_row(finding.check, f"[{colour}]{finding.state}[/{colour}]", finding.found, finding.mend)
    return table
