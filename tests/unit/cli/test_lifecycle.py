import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tests.unit.cli.conftest import FakeMesh
from typer.testing import CliRunner

from loopwright.cli import lifecycle
from loopwright.cli.main import app
from loopwright.localmesh.mesh import own_record
from loopwright.localmesh.process import ProcessRecord, is_alive
from loopwright.localmesh.run_file import RunFile, read_run_file
from loopwright.localmesh.topology import SERVICES


def sleeper(name: str) -> tuple[subprocess.Popen[bytes], ProcessRecord]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    return child, ProcessRecord(name, child.pid, psutil.Process(child.pid).create_time())


def test_a_second_up_on_a_live_folder_changes_nothing(mesh: FakeMesh) -> None:
    before = (mesh.data_dir / "run.json").read_bytes()
    done = mesh.run("up")
    assert done.exit_code == 0 and "already up" in done.output
    assert (mesh.data_dir / "run.json").read_bytes() == before


def test_down_ends_exactly_the_processes_of_the_run_file(tmp_path: Path) -> None:
    ours = [sleeper("supervisor"), sleeper("kafka")]
    other, bystander = sleeper("other")
    try:
        RunFile(ours[0][1], (ours[1][1],), {"kafka": "x:1"}).write(tmp_path)
        done = CliRunner().invoke(app, ["down", "--data-dir", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert [child.wait(10) is not None for child, _ in ours] == [True, True]
        assert not any(is_alive(record) for _, record in ours)
        assert is_alive(bystander)
        assert read_run_file(tmp_path) is None
    finally:
        for child in (other, *(child for child, _ in ours)):
            child.kill()
            child.wait()


def test_down_without_a_mesh_is_no_fault(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["down", "--data-dir", str(tmp_path)])
    assert done.exit_code == 0 and "nothing is up" in done.output


@pytest.mark.parametrize(("serving", "code"), [(True, 0), (False, 1)])
def test_status_says_who_serves_and_fails_when_somebody_does_not(
    mesh: FakeMesh, monkeypatch: pytest.MonkeyPatch, serving: bool, code: int
) -> None:
    async def health(run: RunFile) -> dict[str, bool]:
        return {"policy": serving}

    monkeypatch.setattr(lifecycle, "service_health", health)
    run = read_run_file(mesh.data_dir)
    assert run is not None
    replace(run, processes=(own_record("policy"), own_record("kafka"))).write(mesh.data_dir)
    done = mesh.run("status", "--json")
    assert done.exit_code == code
    rows = {row["name"]: row for row in json.loads(done.stdout)["processes"]}
    assert rows["policy"]["serving"] is serving and rows["kafka"]["alive"] is True
    assert rows["policy"]["address"] == mesh.addresses["policy"]
    assert ("serving" in mesh.run("status").output) == serving


async def test_health_asks_servers_by_grpc_and_consumers_by_their_metrics(mesh: FakeMesh) -> None:
    run = read_run_file(mesh.data_dir)
    assert run is not None
    nowhere = {s.name if s.rpc else f"{s.name}.metrics": "127.0.0.1:1" for s in SERVICES}
    states = await lifecycle.service_health(replace(run, addresses={**nowhere, **mesh.addresses}))
    assert set(states) == {service.name for service in SERVICES}
    assert {name for name, serving in states.items() if serving} == {"policy", "recommender"}


async def test_health_is_told_for_every_replica(mesh: FakeMesh) -> None:
    run = read_run_file(mesh.data_dir)
    assert run is not None
    nowhere = {s.name if s.rpc else f"{s.name}.metrics": "127.0.0.1:1" for s in SERVICES}
    two = {"ranking": "ipv4:127.0.0.1:1", "ranking-0": "127.0.0.1:1", "ranking-1": mesh.addresses["policy"]}
    states = await lifecycle.service_health(replace(run, addresses={**nowhere, **two}))
    assert {name: serving for name, serving in states.items() if name.startswith("ranking")} == {
        "ranking-0": False,
        "ranking-1": True,
    }


def test_replicas_are_read_from_words(tmp_path: Path) -> None:
    assert lifecycle.parse_replicas(["ranking=2", "exposure=3"]) == {"ranking": 2, "exposure": 3}
    assert lifecycle.parse_replicas([]) == {}


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("ranking", "write SERVICE=N"),
        ("ranking=two", "write SERVICE=N"),
        ("ranking=-1", "write SERVICE=N"),
        ("ranking=0", "must have 1 to 16 replicas"),
        ("projector=2", "runs alone"),
        ("nobody=2", "is not a service"),
    ],
)
def test_an_up_with_replicas_that_cannot_be_starts_nothing(tmp_path: Path, word: str, told: str) -> None:
    done = CliRunner().invoke(app, ["up", "--data-dir", str(tmp_path / "mesh"), "--replicas", word])
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.replace("│", "").split())
    assert not (tmp_path / "mesh").exists()


def test_an_up_that_would_strand_records_starts_nothing_and_says_whose(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox" / "exposure-1"
    outbox.mkdir(parents=True)
    (outbox / "outbox-1.log").write_bytes(b"waiting")
    done = CliRunner().invoke(app, ["up", "--data-dir", str(tmp_path)])
    assert done.exit_code == 1 and "exposure-1" in done.stderr
    assert not (tmp_path / "logs").exists()


def test_the_supervisor_is_told_how_many_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(lifecycle.subprocess, "Popen", lambda command, **_: commands.append(command))
    lifecycle.start_supervisor(tmp_path, {"ranking": 2})
    lifecycle.start_supervisor(tmp_path)
    assert [command[-1] for command in commands] == ["ranking=2", str(tmp_path)]
    assert lifecycle.parse_replicas(commands[0][4:]) == {"ranking": 2}


def test_an_up_that_fails_says_where_to_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle.sys, "executable", "/bin/false")
    done = CliRunner().invoke(app, ["up", "--data-dir", str(tmp_path / "mesh")])
    assert done.exit_code == 1
    assert "supervisor.log" in done.stderr
