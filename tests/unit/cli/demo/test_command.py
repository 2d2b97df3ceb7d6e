import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from loopwright.cli.demo import command
from loopwright.cli.demo.scene import DemoFailed, Scene
from loopwright.cli.demo.starting import Mesh
from loopwright.cli.main import app
from loopwright.localmesh.dataset import Dataset


class Stage:
    """A demo whose steps are scripted; remembers whether its mesh was stopped."""

    def __init__(self) -> None:
        self.stopped: list[Path] = []
        self.scenes: list[Scene] = []
        self.end: Callable[[], None] = lambda: None

    async def run_steps(self, scene: Scene, *others: Any) -> None:
        self.scenes.append(scene)
        (scene.folder / "kafka").mkdir()
        (scene.folder / "logs").mkdir()
        self.end()
        scene.report.facts["anything"] = 1
        scene.report.seconds["a step"] = 1.0


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage()

    async def stop(mesh: Mesh) -> None:
        made.stopped.append(mesh._folder)

    monkeypatch.setattr(command, "run_steps", made.run_steps)
    monkeypatch.setattr(command, "final_table", lambda facts, seconds: "the final table")
    monkeypatch.setattr(Mesh, "stop", stop)
    return made


@pytest.fixture
def run(dataset: Dataset, tmp_path: Path) -> Callable[..., Result]:
    files = ["--ratings", str(dataset.ratings), "--items", str(dataset.items), "--data-dir", str(tmp_path / "mesh")]
    return lambda *arguments: CliRunner().invoke(app, ["demo", *files, *arguments])


def test_a_demo_ends_with_its_table_and_stops_its_mesh(stage: Stage, run: Callable[..., Result]) -> None:
    done = run()
    assert done.exit_code == 0, done.output
    (scene,) = stage.scenes
    assert "the final table" in done.stdout and stage.stopped == [scene.folder]
    assert sorted(path.name for path in scene.folder.iterdir()) == ["logs", "report.json"]


def test_the_report_is_written_where_asked(stage: Stage, run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("--json", str(tmp_path / "out" / "r.json")).exit_code == 0
    assert json.loads((tmp_path / "out" / "r.json").read_text()) == {"anything": 1, "seconds": {"a step": 1.0}}


def test_a_kept_mesh_runs_on_and_is_named(stage: Stage, run: Callable[..., Result]) -> None:
    done = run("--keep")
    assert done.exit_code == 0 and stage.stopped == []
    assert f"loopwright down --data-dir {stage.scenes[0].folder}" in done.stdout
    assert (stage.scenes[0].folder / "kafka").is_dir()


def fail() -> None:
    raise DemoFailed("a proof does not hold")


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("end", "code", "said"), [(fail, 1, "a proof does not hold"), (interrupt, 130, "interrupted")])
def test_a_demo_that_ends_early_stops_its_mesh_even_when_it_was_to_be_kept(
    stage: Stage, run: Callable[..., Result], end: Callable[[], None], code: int, said: str
) -> None:
    stage.end = end
    done = run("--keep")
    assert done.exit_code == code
    assert said in done.stderr and str(stage.scenes[0].folder / "logs") in done.stderr
    assert stage.stopped == [stage.scenes[0].folder]
    assert (stage.scenes[0].folder / "kafka").is_dir()


def test_another_ratings_file_needs_its_items_file(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["demo", "--ratings", "x.csv", "--data-dir", str(tmp_path / "mesh")])
    assert done.exit_code == 1 and "both" in done.stderr
    assert not (tmp_path / "mesh").exists()
