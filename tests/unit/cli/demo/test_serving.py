import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loopwright.cli.demo import serving
from loopwright.cli.demo.scene import DemoFailed, Scene
from loopwright.cli.demo.serving import add, serve_first_half, serve_second_half
from loopwright.cli.jobs import JobSpec, Told


def result(count: int, *, answered: int | None = None, first: int = 0) -> Told:
    done = count if answered is None else answered
    return {
        "event": "result", "visits": count, "answered": done, "undegraded": done, "shown": 20 * done,
        "viewed": 9 * done,
        "clicks": 1, "likes": 1, "repeated_calls": 0, "refused": {"TIMEOUT": count - done} if done < count else {},
        "policies": {f"p{first}": done}, "latencies_ms": {str(first + n): 30.0 for n in range(done)},
        "clicked_decisions": {str(first): f"{first:032x}"},
    }  # fmt: skip


def written(path: str) -> str:
    return Path(path).read_text("utf-8")


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[JobSpec]:
    asked: list[JobSpec] = []

    async def run_job(spec: JobSpec, told: Callable[[Told], object]) -> Told:
        asked.append(spec)
        options = dict(zip(spec.arguments[::2], spec.arguments[1::2], strict=True))
        return result(int(options["--count"]), first=int(options["--first"]))

    monkeypatch.setattr(serving, "run_job", run_job)
    return asked


@pytest.fixture
def addressed(scene: Scene) -> Scene:
    scene.addresses = {"recommender": "r:1", "exposure": "e:2"}
    return scene


async def test_both_halves_together_are_all_requests_without_overlap(
    make_scene: Callable[..., Scene], jobs: list[JobSpec]
) -> None:
    scene = make_scene(requests=11)
    scene.addresses = {"recommender": "r:1", "exposure": "e:2"}
    await serve_first_half(scene)
    await serve_second_half(scene)
    ranges = [dict(zip(job.arguments[::2], job.arguments[1::2], strict=True)) for job in jobs]
    assert [(r["--first"], r["--count"]) for r in ranges] == [("0", "5"), ("5", "6")]
    traffic = scene.report.facts["traffic"]
    assert (traffic["visits"], traffic["answered"], len(traffic["latencies_ms"])) == (11, 11, 11)
    assert traffic["policies"] == {"p0": 5, "p5": 6}


async def test_only_live_users_visit_and_they_want_their_next_rows(addressed: Scene, jobs: list[JobSpec]) -> None:
    await serve_first_half(addressed)
    options = dict(zip(jobs[0].arguments[::2], jobs[0].arguments[1::2], strict=True))
    tastes: dict[str, Any] = json.loads(written(options["--tastes"]))
    assert set(tastes) == set(addressed.population.live)
    assert all(len(items) == 2 for items in tastes.values())


async def test_a_mesh_that_leaves_requests_unanswered_fails_the_demo(
    addressed: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run_job(spec: JobSpec, told: Callable[[Told], object]) -> Told:
        return result(5, answered=4)

    monkeypatch.setattr(serving, "run_job", run_job)
    with pytest.raises(DemoFailed, match="4 of 5"):
        await serve_first_half(addressed)


def test_totals_add_up() -> None:
    traffic: dict[str, Any] = {}
    add(traffic, result(5))
    add(traffic, result(7, first=5))
    assert (traffic["shown"], traffic["clicks"]) == (240, 2)
    assert traffic["clicked_decisions"] == [f"{0:032x}", f"{5:032x}"]
