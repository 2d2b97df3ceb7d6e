import io
from pathlib import Path

import pytest
from rich.console import Console

from loopwright.cli.demo.scene import DemoFailed, Scene
from loopwright.cli.demo.starting import Mesh
from loopwright.cli.demo.steps import Step, run_steps, steps

QUIET = Console(quiet=True)


def step(name: str, found: str | Exception) -> Step:
    async def run(scene: Scene) -> str:
        if isinstance(found, Exception):
            raise found
        scene.report.printed.append(f"<{name}>")
        return found

    return Step(name, run)


async def test_steps_run_in_order_and_each_is_told_with_its_time_and_finding(scene: Scene) -> None:
    out = Console(width=100, record=True, file=io.StringIO())
    await run_steps(scene, (step("one", "first"), step("two", "second")), out, QUIET)
    text = out.export_text()
    assert text.index("first") < text.index("<one>") < text.index("second") < text.index("<two>")
    assert list(scene.report.seconds) == ["one", "two"]
    assert scene.report.printed == []


async def test_a_failure_ends_the_run(scene: Scene) -> None:
    with pytest.raises(DemoFailed):
        await run_steps(scene, (step("one", DemoFailed("no")), step("two", "second")), QUIET, QUIET)
    assert scene.report.seconds == {}


def test_the_loop_serves_in_halves_and_judges_before_and_after_retraining(tmp_path: Path) -> None:
    names = [one.name for one in steps(Mesh(tmp_path))]
    assert len(set(names)) == len(names)
    wanted = [
        "import the past",
        "train and promote",
        "serve, first half",
        "move the explore slot",
        "serve, second half",
        "held users act meanwhile",
        "quality before",
        "retrain from the log",
        "quality after",
    ]
    places = [names.index(name) for name in wanted]
    assert places == sorted(places)
    assert names[0] == "start the mesh"
