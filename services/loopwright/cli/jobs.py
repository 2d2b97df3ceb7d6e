"""Runs a job of ours as a child process that tells its progress in JSON lines, and ends it whatever happens here.

The trainer and the simulator are such jobs: standard output holds `progress`, `table` and one last `result` or `fault`
object a line, standard error holds logs.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress, TaskID

from loopwright.faults import Fault, Kind

LONGEST_LINE_BYTES = 16 << 20
GRACE_S = 5.0

Told = dict[str, Any]
"""One line of a job."""


class JobFailed(Fault):
    """A job of ours ended without a result."""

    kind = Kind.INTERNAL
    reason = "JOB_FAILED"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What to run: `python -m module arguments`, with these variables added to ours; logs are appended to a file."""

    module: str
    arguments: Sequence[str]
    env: Mapping[str, str]
    log_file: Path


async def run_job(spec: JobSpec, told: Callable[[Told], object]) -> Told:
    """Run a job to its end and return its `result` line; every other line goes to `told` as it comes.

    Raises:
        JobFailed: It ended with a fault, with another exit code than 0, or without a result.
    """
    spec.log_file.parent.mkdir(parents=True, exist_ok=True)
    with spec.log_file.open("ab") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", spec.module, *spec.arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=log, limit=LONGEST_LINE_BYTES,
            env={**os.environ, **spec.env}, start_new_session=True,
        )  # fmt: skip
    last: Told = {}
    try:
        async for line in _lines(child):
            last = line
            if line["event"] not in ("result", "fault"):
                told(line)
        code = await child.wait()
    finally:
        await _end(child)
    if code == 0 and last.get("event") == "result":
        return last
    if last.get("event") == "fault":
        raise JobFailed(f"{spec.module}: {last.get('message', '')}", metadata={"cause": str(last.get("reason", ""))})
    raise JobFailed(f"{spec.module} ended with {code} and no result; see {spec.log_file}")


async def _lines(child: Process) -> AsyncIterator[Told]:
    assert child.stdout is not None  # asked for above
    async for raw in child.stdout:
        try:
            line = json.loads(raw)
        except ValueError as error:
            raise JobFailed(f"a job wrote a line that is no JSON: {raw[:80]!r}") from error
        if not isinstance(line, dict) or not isinstance(line.get("event"), str):
            raise JobFailed(f"a job wrote a line without an event: {raw[:80]!r}")
        yield line


async def _end(child: Process) -> None:
    """End the child and what it spawned; it leads a process group of its own."""
    if child.returncode is not None:
        return
    _signal(child, signal.SIGTERM)
    try:
        async with asyncio.timeout(GRACE_S):
            await child.wait()
    except TimeoutError:
        _signal(child, signal.SIGKILL)
        await child.wait()


def _signal(child: Process, number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return  # it ended by itself, which is what was asked for


class StepBars:
    """Shows a job's `progress` lines as one bar a step, in percent."""

    def __init__(self, progress: Progress, label: str) -> None:
        """Take the bars to draw in and what stands before each step's name."""
        self._progress, self._label = progress, label
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, line: Told) -> None:
        """Show a line; those of other events are left alone."""
        if line["event"] != "progress":
            return
        step, total = str(line["step"]), float(line["total"])
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(f"{self._label}: {step}", total=100)
        share = float(line["done"]) / total if total > 0 else 1.0
        self._progress.update(self._tasks[step], completed=round(100 * min(1.0, share)))
