"""`loopwright demo`: the whole loop in a fresh data folder; whatever happens, no process of it stays behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loopwright.cli.demo.figures import final_table
from loopwright.cli.demo.folder import clear, fresh_folder
from loopwright.cli.demo.scene import Options, Scene
from loopwright.cli.demo.starting import Mesh
from loopwright.cli.demo.steps import run_steps, steps
from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, DataDir, err, out
from loopwright.cli.progress import spinner
from loopwright.faults import Fault
from loopwright.localmesh.dataset import Dataset, ensure_movielens
from loopwright.localmesh.paths import cache_dir

FAILED, INTERRUPTED = 1, 130
WIDTH_OF_FILES = 130
"""Columns of what is not printed to a terminal, which has no width of its own."""

IN_FLIGHT = max(2, min(6, os.cpu_count() or 1))
"""Visits under way at once: more than the machine has cores only queue, and a queued request is a late one."""


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the mesh running and say how to reach it.")] = False,
    requests: Annotated[int, typer.Option(min=2, help="SERVE requests; the explore slot moves after half.")] = 2000,
    users_share: Annotated[float, typer.Option(min=0.01, max=1.0, help="Share of the users that take part.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the world, of both trainings and of the proofs.")] = 1,
    in_flight: Annotated[int, typer.Option(min=1, help="Visits under way at once.")] = IN_FLIGHT,
    proofs: Annotated[int, typer.Option(min=1, help="Random decisions to prove.")] = 200,
    ratings: Annotated[
        Path | None, typer.Option(help="Another ratings file, as `import` takes it; with --items.")
    ] = None,
    items: Annotated[Path | None, typer.Option(help="Its items file.")] = None,
    report: Annotated[Path | None, typer.Option("--json", help="Write the whole report to this file.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Run the loop once: start, import, train, serve, retrain, switch, explain, prove, and stop.

    It always starts in a new folder below the data folder and touches no other mesh there.
    """
    if (ratings is None) != (items is None):
        err.print("say both --ratings and --items, or neither")
        raise typer.Exit(FAILED)
    folder = fresh_folder(data_dir, time.strftime("%Y%m%d-%H%M%S"))
    mesh, teller = Mesh(folder), out if out.is_terminal else Console(width=WIDTH_OF_FILES)
    code = FAILED
    try:
        dataset = Dataset(ratings, items) if ratings is not None and items is not None else _movielens()
        scene = Scene(Options(requests, users_share, seed, in_flight, proofs), folder, dataset)
        asyncio.run(_interruptible(scene, mesh, teller))
        _tell(scene, report, teller)
        code = 0
    except* Fault as faults:
        for fault in _single(faults):
            err.print(f"the demo failed: {fault}", highlight=False, markup=False, soft_wrap=True)
    except* (KeyboardInterrupt, asyncio.CancelledError):
        err.print("interrupted")
        code = INTERRUPTED
    finally:
        if code or not keep:
            _stop(mesh)
        if code:
            err.print(f"logs of every process: {folder / 'logs'}", highlight=False, soft_wrap=True)
    if not code:
        _leave(folder, keep)
    raise typer.Exit(code)


def _movielens() -> Dataset:
    with spinner() as progress:
        progress.add_task("fetching MovieLens-100k, once", total=None)
        return ensure_movielens(cache_dir())


async def _interruptible(scene: Scene, mesh: Mesh, teller: Console) -> None:
    """Run the steps; SIGTERM and a closed terminal end them as Ctrl-C does."""
    running = asyncio.current_task()
    assert running is not None  # a coroutine always runs in a task here
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, running.cancel)
    await run_steps(scene, steps(mesh), teller, err)


def _tell(scene: Scene, report: Path | None, teller: Console) -> None:
    table = final_table(scene.report.facts, scene.report.seconds)
    teller.print(table, highlight=False)
    text = json.dumps(scene.report.document(), indent=1) + "\n"
    (scene.folder / "report.json").write_text(text, "utf-8")
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(text, "utf-8")


def _stop(mesh: Mesh) -> None:
    """End the mesh; an impatient second Ctrl-C must not leave half of it behind."""
    before = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        with spinner() as progress:
            progress.add_task("stopping the mesh", total=None)
            asyncio.run(mesh.stop())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _single(group: BaseExceptionGroup[Fault]) -> Iterator[Fault]:
    for found in group.exceptions:
        if isinstance(found, BaseExceptionGroup):
            yield from _single(found)
        else:
            yield found


def _leave(folder: Path, keep: bool) -> None:
    if keep:
        out.print(f"the mesh runs on: loopwright status --data-dir {folder}", highlight=False, soft_wrap=True)
        out.print(f"end it with:      loopwright down --data-dir {folder}", highlight=False, soft_wrap=True)
    else:
        clear(folder)
        out.print(f"report and logs: {folder}", highlight=False, soft_wrap=True)
