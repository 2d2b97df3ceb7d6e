"""`loopwright train`: runs the trainer's job on the live log and says what came of it.

`run_training` is what the command does, for other parts of this package to call.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from loopwright.cli.jobs import JobFailed, JobSpec, StepBars, Told, run_job
from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, err, live_mesh, out
from loopwright.cli.progress import progress_bars
from loopwright.faults import Fault

JOB = "loopwright.trainer.job"
ACTOR = "loopwright train"

PASSED, REFUSED, NO_VERDICT = "PASSED", "REFUSED", "NO_VERDICT"


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict on the trained models, why, and the figures it rests on."""

    verdict: str
    reasons: tuple[str, ...]
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """A table the trainer found worth showing."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What came of a training run; `policy_version` is the bundle that pins the models now, "" when not promoted."""

    models: Mapping[str, str]
    onnx: Mapping[str, str]
    gate: Gate
    promoted: bool
    policy_version: str
    seconds: Mapping[str, float]
    tables: tuple[Figures, ...]


async def run_training(
    addresses: Mapping[str, str],
    data_dir: Path,
    progress: Progress,
    *,
    seed: int,
    promote: bool,
    surface: str = "home",
    actor: str = ACTOR,
) -> TrainingResult:
    """Train on all that is on the log and, when `promote` is set and the gate allows it, activate the models.

    Args:
        addresses: Of the live mesh, by name.
        data_dir: Its data folder; models go to the store below it.
        progress: Bars to show the steps in.
        seed: Of the whole run.
        promote: Whether models that pass are activated.
        surface: Where.
        actor: Name that goes on record.

    Raises:
        JobFailed: The trainer met a fault.
    """
    arguments = ["--seed", str(seed), "--surface", surface, "--actor", actor]
    spec = JobSpec(
        module=JOB,
        arguments=[*arguments, "--promote"] if promote else arguments,
        env=environment(addresses, data_dir),
        log_file=data_dir / "logs" / "trainer.log",
    )
    bars = StepBars(progress, "training")
    tables: list[Figures] = []

    def told(line: Told) -> None:
        if line["event"] == "table":
            tables.append(_figures(line))
        bars(line)

    return _result(await run_job(spec, told), tables)


def environment(addresses: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """Return the trainer's settings as variables."""
    return {
        "LOOPWRIGHT_TRAINER_KAFKA_BOOTSTRAP": addresses["kafka"],
        "LOOPWRIGHT_TRAINER_MODEL_STORE_PATH": str(data_dir.resolve() / "models"),
        "LOOPWRIGHT_TRAINER_POLICY_TARGET": addresses["policy"],
        "LOOPWRIGHT_TRAINER_METRICS_PORT": "0",
    }


def _figures(line: Told) -> Figures:
    rows = tuple(tuple(_cell(cell) for cell in row) for row in line["rows"])
    return Figures(str(line["title"]), tuple(map(str, line["columns"])), rows)


def _cell(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _result(line: Told, tables: Sequence[Figures]) -> TrainingResult:
    try:
        gate = line["gate"]
        return TrainingResult(
            models=dict(line["models"]),
            onnx=dict(line["onnx"]),
            gate=Gate(str(gate["verdict"]), tuple(map(str, gate["reasons"])), dict(gate["figures"])),
            promoted=bool(line["promoted"]),
            policy_version=str(line["policy_version"]),
            seconds={str(step): float(taken) for step, taken in line["seconds"].items()},
            tables=tuple(tables),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise JobFailed(f"the trainer's result lacks a part: {error!r}") from error


def train(
    promote: Annotated[bool, typer.Option("--promote", help="Activate the models when the gate allows it.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the whole run: the same log and seed give the same "
                                                  "models, bit by bit.")] = 1,
    surface: Annotated[str, typer.Option(help="Surface whose bundle is judged against and promoted.")] = "home",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Train towers, rankers and signals on the log; a gate that refuses them is printed and is no failure."""
    run = live_mesh(data_dir)
    try:
        with progress_bars() as progress:
            trained = asyncio.run(
                run_training(run.addresses, data_dir, progress, seed=seed, promote=promote, surface=surface)
            )
    except Fault as fault:
        err.print(str(fault), highlight=False, markup=False)
        raise typer.Exit(1) from fault
    if as_json:
        out.print_json(json.dumps(document(trained)))
        return
    for figures in trained.tables:
        out.print(figures_table(figures))
    out.print(result_table(trained))


def document(trained: TrainingResult) -> dict[str, Any]:
    """Return a result as one JSON object."""
    return {
        "models": dict(trained.models),
        "onnx": dict(trained.onnx),
        "gate": {
            "verdict": trained.gate.verdict,
            "reasons": list(trained.gate.reasons),
            "figures": dict(trained.gate.figures),
        },
        "promoted": trained.promoted,
        "policy_version": trained.policy_version,
        "seconds": dict(trained.seconds),
    }


def figures_table(figures: Figures) -> Table:
    """Return one of the trainer's tables for a terminal."""
    table = Table(*figures.columns, title=figures.title, title_justify="left", title_style="bold")
    for row in figures.rows:
        table.add_row(*row)
    return table


def result_table(trained: TrainingResult) -> Table:
    """Return models, gate and promotion for a terminal."""
    table = Table(title="training", title_justify="left", title_style="bold", show_header=False)
    for kind, version in trained.models.items():
        table.add_row(kind, version)
    table.add_row("gate", trained.gate.verdict)
    for reason in trained.gate.reasons:
        table.add_row("", reason)
    for name, value in trained.gate.figures.items():
        table.add_row(f"  {name}", _cell(value))
    active = trained.policy_version[:16]
    table.add_row("promoted", f"yes, active is {active}" if trained.promoted else "no")
    table.add_row("seconds", ", ".join(f"{step} {taken:.1f}" for step, taken in trained.seconds.items()))
    return table
