import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress
from tests.unit.cli.conftest import FakeMesh

from loopwright.cli import training
from loopwright.cli.jobs import JobFailed, JobSpec, Told
from loopwright.cli.training import TrainingResult, result_table, run_training

ADDRESSES = {"kafka": "k:1", "policy": "p:2"}
RESULT: Told = {
    "event": "result",
    "models": {"two_tower": "t" * 64, "pre_ranker": "p" * 64, "ranker": "r" * 64},
    "onnx": {"ranker.onnx": "0" * 64},
    "gate": {"verdict": "REFUSED", "reasons": ["worse by 3 standard errors"], "figures": {"difference": -0.0312345}},
    "promoted": False,
    "policy_version": "",
    "seconds": {"towers": 12.25},
}
TABLE: Told = {
    "event": "table",
    "title": "dataset",
    "columns": ["what", "rows"],
    "rows": [["engage", 3], ["loss", 0.5]],
}


class FakeJob:
    """Stands in for the trainer's process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *lines: Told) -> None:
        self.lines = lines
        self.spec: JobSpec | None = None
        monkeypatch.setattr(training, "run_job", self)

    async def __call__(self, spec: JobSpec, told: Callable[[Told], object]) -> Told:
        self.spec = spec
        for line in self.lines[:-1]:
            told(line)
        return self.lines[-1]


async def trained(data_dir: Path, **options: Any) -> TrainingResult:
    return await run_training(
        ADDRESSES, data_dir, Progress(console=Console(quiet=True)), **{"seed": 3, "promote": True, **options}
    )


async def test_the_job_gets_the_seed_the_mesh_and_the_model_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeJob(monkeypatch, RESULT)
    await trained(tmp_path, surface="search", actor="a test")
    assert fake.spec is not None
    assert list(fake.spec.arguments) == ["--seed", "3", "--surface", "search", "--actor", "a test", "--promote"]
    assert fake.spec.env == {
        "LOOPWRIGHT_TRAINER_KAFKA_BOOTSTRAP": "k:1",
        "LOOPWRIGHT_TRAINER_MODEL_STORE_PATH": str(tmp_path / "models"),
        "LOOPWRIGHT_TRAINER_POLICY_TARGET": "p:2",
        "LOOPWRIGHT_TRAINER_METRICS_PORT": "0",
    }


async def test_nothing_is_promoted_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeJob(monkeypatch, RESULT)
    await trained(tmp_path, promote=False)
    assert fake.spec is not None and "--promote" not in fake.spec.arguments


async def test_the_verdict_its_figures_and_the_tables_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeJob(monkeypatch, {"event": "progress", "step": "towers", "done": 1.0, "total": 2.0}, TABLE, RESULT)
    result = await trained(tmp_path)
    assert (result.gate.verdict, result.gate.reasons) == ("REFUSED", ("worse by 3 standard errors",))
    assert (result.promoted, result.models["ranker"], result.seconds) == (False, "r" * 64, {"towers": 12.25})
    assert [(t.title, t.columns, t.rows) for t in result.tables] == [
        ("dataset", ("what", "rows"), (("engage", "3"), ("loss", "0.5")))
    ]
    console = Console(width=160)
    with console.capture() as captured:
        console.print(result_table(result))
    assert "REFUSED" in captured.get() and "worse by 3 standard errors" in captured.get()


@pytest.mark.parametrize("missing", ["models", "gate", "promoted", "seconds"])
async def test_a_result_that_lacks_a_part_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    FakeJob(monkeypatch, {name: value for name, value in RESULT.items() if name != missing})
    with pytest.raises(JobFailed, match="lacks a part"):
        await trained(tmp_path)


def test_a_refusal_is_no_failure_of_the_command(mesh: FakeMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    FakeJob(monkeypatch, TABLE, RESULT)
    done = mesh.run("train", "--promote", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["gate"]["verdict"] == "REFUSED"
    said = mesh.run("train").stdout
    assert "dataset" in said and "REFUSED" in said


def test_a_fault_of_the_trainer_is_exit_code_1(mesh: FakeMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(spec: JobSpec, told: Callable[[Told], object]) -> Told:
        raise JobFailed("the log is away")

    monkeypatch.setattr(training, "run_job", failing)
    done = mesh.run("train")
    assert done.exit_code == 1 and "the log is away" in done.stderr
