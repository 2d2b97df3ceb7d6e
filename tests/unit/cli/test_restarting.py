import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tests.unit.cli.conftest import FakeMesh

from loopwright.cli import restarting
from loopwright.localmesh.failures import ServerDidNotStart
from loopwright.localmesh.process import ProcessRecord, is_alive
from loopwright.localmesh.run_file import RunFile, read_run_file

NAMES = ("kafka", "redis", "policy", "ranking-0", "ranking-1")


def sleeper(name: str) -> tuple[subprocess.Popen[bytes], ProcessRecord]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    return child, ProcessRecord(name, child.pid, psutil.Process(child.pid).create_time())


def mesh_of(folder: Path, *records: ProcessRecord) -> RunFile:
    run = RunFile(ProcessRecord("supervisor", 1, 1.0), records, {"kafka": "k:1"})
    run.write(folder)
    return run


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("", ["policy", "ranking-0", "ranking-1"]),
        ("ranking", ["ranking-0", "ranking-1"]),
        ("ranking-1", ["ranking-1"]),
        ("kafka", []),
        ("nobody", []),
    ],
)
def test_a_service_a_process_or_all_services_are_chosen_and_never_a_server(name: str, chosen: list[str]) -> None:
    run = RunFile(ProcessRecord("supervisor", 1, 1.0), tuple(ProcessRecord(one, 2, 1.0) for one in NAMES))
    assert [record.name for record in restarting.chosen_records(run, name)] == chosen


async def test_a_process_is_ended_and_its_successor_awaited(tmp_path: Path) -> None:
    child, record = sleeper("policy")
    mesh_of(tmp_path, record)

    async def supervise() -> None:
        while is_alive(record):
            await asyncio.sleep(0.01)
        mesh_of(tmp_path, replace(record, pid=record.pid + 1))

    supervising = asyncio.create_task(supervise())
    done = await restarting.roll(record, tmp_path, within_s=30)
    await supervising
    assert (done.name, done.by_itself) == ("policy", True)
    assert child.wait(10) is not None


async def test_a_process_that_does_not_come_back_is_told(tmp_path: Path) -> None:
    child, record = sleeper("policy")
    mesh_of(tmp_path, record)
    with pytest.raises(ServerDidNotStart, match=r"policy was not back within 0\.3 s"):
        await restarting.roll(record, tmp_path, within_s=0.3)
    assert child.wait(10) is not None


def test_the_command_restarts_one_after_the_other(mesh: FakeMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    run = read_run_file(mesh.data_dir)
    assert run is not None
    replace(run, processes=tuple(ProcessRecord(name, 2, 1.0) for name in NAMES)).write(mesh.data_dir)
    asked: list[str] = []

    async def roll(record: ProcessRecord, data_dir: Path) -> restarting.Rolled:
        asked.append(record.name)
        return restarting.Rolled(record.name, record.name != "ranking-1", 0.5, 2.0)

    monkeypatch.setattr(restarting, "roll", roll)
    done = mesh.run("restart")
    assert done.exit_code == 0 and asked == ["policy", "ranking-0", "ranking-1"]
    assert "policy ended by itself" in done.output and "ranking-1 had to be killed" in done.output
    told = json.loads(mesh.run("restart", "policy", "--json").stdout)
    assert told == [{"name": "policy", "by_itself": True, "stop_s": 0.5, "start_s": 2.0}]
    unknown = mesh.run("restart", "nobody")
    assert unknown.exit_code == 2 and "nobody" in unknown.stderr


def test_the_command_fails_when_a_process_stays_away(mesh: FakeMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    run = read_run_file(mesh.data_dir)
    assert run is not None
    replace(run, processes=(ProcessRecord("policy", 2, 1.0),)).write(mesh.data_dir)

    async def roll(record: ProcessRecord, data_dir: Path) -> restarting.Rolled:
        raise ServerDidNotStart("policy was not back")

    monkeypatch.setattr(restarting, "roll", roll)
    done = mesh.run("restart", "policy")
    assert done.exit_code == 1 and "was not back" in done.stderr
