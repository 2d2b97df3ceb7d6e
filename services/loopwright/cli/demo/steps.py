"""The demo as a list that can be read, and the runner that times and tells each step."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from loopwright.cli.demo.bundles import log_whole_funnels, move_explore_slot
from loopwright.cli.demo.history import import_held, import_past
from loopwright.cli.demo.learning import retrain, train_first
from loopwright.cli.demo.proving import explain_one, prove_sample
from loopwright.cli.demo.quality import judge_incumbent, judge_successor
from loopwright.cli.demo.readings import read_log
from loopwright.cli.demo.scene import Scene
from loopwright.cli.demo.serving import serve_first_half, serve_second_half
from loopwright.cli.demo.starting import Mesh


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it is called, and what does it; it returns what it found, in a line."""

    name: str
    run: Callable[[Scene], Awaitable[str]]


def steps(mesh: Mesh) -> tuple[Step, ...]:
    """Return the loop, in order."""
    return (
        Step("start the mesh", mesh.start),
        Step("import the past", import_past),
        Step("log whole funnels", log_whole_funnels),
        Step("train and promote", train_first),
        Step("serve, first half", serve_first_half),
        Step("move the explore slot", move_explore_slot),
        Step("serve, second half", serve_second_half),
        Step("held users act meanwhile", import_held),
        Step("quality before", judge_incumbent),
        Step("retrain from the log", retrain),
        Step("quality after", judge_successor),
        Step("explain one decision", explain_one),
        Step("prove a sample", prove_sample),
        Step("read the log", read_log),
    )


async def run_steps(scene: Scene, loop: tuple[Step, ...], out: Console, err: Console) -> None:
    """Run the steps one after the other; each is timed, and told with what it found when it ends.

    Raises:
        Fault: A step's; later ones do not run.
    """
    for number, step in enumerate(loop, start=1):
        started = time.monotonic()
        with _bars(err) as scene.progress:
            scene.progress.add_task(step.name, total=None)
            found = await step.run(scene)
        taken = scene.report.seconds[step.name] = time.monotonic() - started
        out.print(
            f"{number:2d}  {step.name:<25} {taken:6.1f} s  {found}", highlight=False, markup=False, soft_wrap=True
        )
        for printed in scene.report.printed:
            out.print(printed, highlight=False)
        scene.report.printed.clear()


def _bars(err: Console) -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    )  # fmt: skip
