import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from loopwright.cli.demo import starting
from loopwright.cli.demo.scene import DemoFailed, Scene
from loopwright.cli.demo.starting import Mesh
from loopwright.localmesh.process import ProcessRecord, is_alive
from loopwright.localmesh.run_file import RunFile, read_run_file


def sleeper(name: str) -> tuple[subprocess.Popen[bytes], ProcessRecord]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    return child, ProcessRecord(name, child.pid, psutil.Process(child.pid).create_time())


@pytest.fixture
def processes() -> list[subprocess.Popen[bytes]]:
    return []


@pytest.fixture
def supervised(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Mesh, list[ProcessRecord]]]:
    """A mesh whose supervisor only sleeps, beside one process of its run file."""
    records: list[ProcessRecord] = []
    children: list[subprocess.Popen[bytes]] = []

    def start_supervisor(folder: Path) -> subprocess.Popen[bytes]:
        child, record = sleeper("supervisor")
        beside, other = sleeper("kafka")
        records.extend([record, other])
        children.append(beside)
        RunFile(record, (other,), {"kafka": "k:1"}).write(folder)
        return child

    monkeypatch.setattr(starting, "start_supervisor", start_supervisor)
    yield Mesh(scene.folder), records
    for child in children:
        child.kill()
        child.wait()


async def test_a_started_mesh_is_known_by_its_addresses_and_ends_whole(
    scene: Scene, supervised: tuple[Mesh, list[ProcessRecord]]
) -> None:
    mesh, records = supervised
    assert await mesh.start(scene) == "1 processes"
    assert scene.addresses == {"kafka": "k:1"}
    await mesh.stop()
    assert not any(is_alive(record) for record in records)
    assert read_run_file(scene.folder) is None


async def test_a_mesh_that_never_was_is_stopped_without_a_fault(scene: Scene) -> None:
    await Mesh(scene.folder).stop()


async def test_a_supervisor_that_ends_at_once_fails_the_demo(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        starting, "start_supervisor", lambda folder: subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
    )
    mesh = Mesh(scene.folder)
    with pytest.raises(DemoFailed, match=r"supervisor\.log"):
        await mesh.start(scene)
    await mesh.stop()


async def test_a_supervisor_that_has_told_nothing_yet_is_ended_too(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, record = sleeper("supervisor")
    monkeypatch.setattr(starting, "start_supervisor", lambda folder: child)
    monkeypatch.setattr(starting, "UP_WITHIN_S", 0.2)
    mesh = Mesh(scene.folder)
    with pytest.raises(DemoFailed):
        await mesh.start(scene)
    await mesh.stop()
    assert not is_alive(record)
