"""`loopwright doctor`: runs every check, prints what was found and how to mend it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import typer
from rich.text import Text

from loopwright.cli.doctor import folders, keys, machine, native
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
        for line in lines(findings):
            out.print(line, soft_wrap=True)
    if broken:
        raise typer.Exit(BROKEN)


def examine(data_dir: Path, cache: Path, told: Callable[[str], object] = lambda name: None) -> list[Finding]:
    """Return the finding of every check, those of the machine first; `told` is given the name of each look."""
    looks: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("python", lambda: [machine.python_version()]),
        ("hnswlib", lambda: [native.hnswlib()]),
        ("java", lambda: [machine.java()]),
        ("kafka jars", lambda: [machine.kafka_jars(cache)]),
        ("redis", lambda: [machine.redis_server()]),
        ("data set", lambda: [machine.data_set(cache)]),
        ("open files", lambda: [machine.open_files()]),
        ("bindings", lambda: [keys.bindings(os.environ)]),
        ("data folder", lambda: [folders.data_folder(data_dir)]),
        ("disk", lambda: [folders.disk_space(data_dir)]),
        ("model store", lambda: [folders.model_store(data_dir)]),
        ("wall clock", lambda: [folders.wall_clock(data_dir)]),
        ("mesh", lambda: asyncio.run(mesh_checks(data_dir))),
    ]
    findings: list[Finding] = []
    for name, look in looks:
        told(name)
        findings += look()
    return findings


def lines(findings: list[Finding]) -> Iterator[Text]:
    """Yield a line for each finding, its mend on a line of its own, and last how many are broken."""
    colours = {State.OK: "green", State.NOTE: "yellow", State.BROKEN: "bold red"}
    for finding in findings:
        state = (f"{finding.state:<7}", colours[finding.state])
        yield Text.assemble(state, f"{finding.check:<12} {finding.found}")
        if finding.mend:
            yield Text(f"{'':7}{'mend:':<12} {finding.mend}")
    count = sum(finding.state is State.BROKEN for finding in findings)
    yield Text(f"{count} broken" if count else "nothing is broken")
