from pathlib import Path
from typing import Any

import pytest

from loopwright.cli.demo import history
from loopwright.cli.demo.history import import_past, write_ratings
from loopwright.cli.demo.scene import Scene
from loopwright.cli.importing.command import Clock, Imported, Job
from loopwright.cli.importing.rows import Reject, read_ratings


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Imports that were asked for; none is run."""
    asked: list[Job] = []

    async def run_import(job: Job, *mesh: Any) -> Imported:
        asked.append(job)
        return Imported(40, 480, 0, "", 0)

    async def mesh_now_ms(log: object) -> int:
        return 123

    monkeypatch.setattr(history, "run_import", run_import)
    monkeypatch.setattr(history, "mesh_now_ms", mesh_now_ms)
    return asked


@pytest.fixture
def addressed(scene: Scene) -> Scene:
    scene.addresses = {"ingest": "i:1", "kafka": "k:2"}
    return scene


def test_rows_are_written_as_the_importer_reads_them(tmp_path: Path, scene: Scene) -> None:
    rejects: list[Reject] = []
    again = read_ratings(write_ratings(tmp_path / "again.csv", scene.population.rows), rejects)
    assert not rejects
    assert again == list(scene.population.rows)


async def test_the_past_is_the_whole_file_with_its_own_times(addressed: Scene, jobs: list[Job]) -> None:
    await import_past(addressed)
    (job,) = jobs
    assert (job.ratings, job.clock) == (addressed.dataset.ratings, Clock.EVENT)
    assert (job.first_share, job.next_share, job.like_at) == (0.8, None, 4.0)


async def test_held_users_rows_arrive_as_of_now_and_nobody_elses(
    addressed: Scene, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr(Scene, "log", lambda self: nullcontext())
    await import_past(addressed)
    await history.import_held(addressed)
    job = jobs[-1]
    assert (job.clock, job.first_share, job.next_share) == (Clock.NOW, 0.8, 0.1)
    assert {row.user_id for row in read_ratings(job.ratings, [])} == set(addressed.population.held)
    assert addressed.judged_at_ms == 123
