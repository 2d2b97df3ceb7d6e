"""Two replicas of ranking, exposure and recommender as processes: they answer as one, and each may be away in turn."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loopwright.cli.clients import Ask, front_door
from loopwright.cli.importing.command import Clock, Job, run_import
from loopwright.cli.progress import progress_bars
from loopwright.cli.recommending import ask_all
from loopwright.eventlog import KafkaEventLog
from loopwright.lifecycle import ReadinessView
from loopwright.localmesh.control import LocalMesh
from loopwright.localmesh.mesh import running_mesh
from loopwright.localmesh.run_file import read_run_file
from tests.integration.processes import IMPORT_PATH
from tests.integration.test_closed_loop import write_catalogue

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]
REPLICAS = {"ranking": 2, "exposure": 2, "recommender": 2}
ONE_OF_EACH = ("ranking-1", "exposure-0", "recommender-0")
USERS = [f"u{number}" for number in range(8)]


@pytest.fixture
async def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalMesh]:
    """A mesh with two of each and a small catalogue."""
    monkeypatch.setenv("PYTHONPATH", IMPORT_PATH)
    ratings, items = write_catalogue(tmp_path)
    job = Job(ratings, items, Clock.EVENT, 1.0, None, 4.0, "")
    async with running_mesh(tmp_path / "mesh", replicas=REPLICAS) as running:
        await run_import(
            job, running.data_dir, running.addresses()["ingest"], running.addresses()["kafka"], progress_bars()
        )
        yield running


async def assert_whole_lists(mesh: LocalMesh) -> None:
    """Ask for everybody's list through the target over both front doors."""
    async with front_door(mesh.addresses()["recommender"]) as door:
        found = await ask_all(door, [Ask(user, 10, "home") for user in USERS], run_id=uuid.uuid4().hex[:16])
    assert found.degraded == {}
    assert {user: len(set(items)) for user, items in found.lists.items()} == dict.fromkeys(USERS, 10)


async def test_two_replicas_answer_as_one_while_each_in_turn_is_restarted_killed_or_away(mesh: LocalMesh) -> None:
    assert mesh.addresses()["recommender"].count("127.0.0.1:") == 2
    await assert_whole_lists(mesh)

    async with KafkaEventLog.open(mesh.layout.kafka_bootstrap, producer="test") as log, ReadinessView(log) as view:
        live = {service: [replica.name for replica in view.live(service)] for service in (*REPLICAS, "policy")}
    assert live == {service: [f"{service}-0", f"{service}-1"] for service in REPLICAS} | {"policy": ["policy-0"]}

    before = mesh.record("ranking-0")
    assert (await mesh.restart("ranking-0")).by_itself
    run = read_run_file(mesh.data_dir)
    assert run is not None and mesh.record("ranking-0") in run.processes and before not in run.processes

    await asyncio.gather(*(mesh.hold(name) for name in ONE_OF_EACH))
    await assert_whole_lists(mesh)

    await mesh.hold("kafka")
    await mesh.kill("redis")
    await asyncio.gather(*(mesh.release(name) for name in (*ONE_OF_EACH, "kafka")))
    await mesh.wait_ready("redis")
    assert {name: mesh.unasked_ends(name) for name in mesh.names} == dict.fromkeys(mesh.names, 0)
