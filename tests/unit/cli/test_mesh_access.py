from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from loopwright.cli.main import app
from loopwright.cli.mesh_access import NO_MESH, live_mesh
from loopwright.localmesh.mesh import own_record
from loopwright.localmesh.process import ProcessRecord
from loopwright.localmesh.run_file import RunFile

ADDRESSES = {"policy": "127.0.0.1:1"}


def test_a_live_mesh_is_found_by_its_run_file(tmp_path: Path) -> None:
    RunFile(own_record("supervisor"), addresses=ADDRESSES).write(tmp_path)
    assert live_mesh(tmp_path).addresses == ADDRESSES


@pytest.mark.parametrize("state", ["nothing", "dead", "starting"])
def test_without_a_live_mesh_every_command_ends_with_code_2_and_the_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], state: str
) -> None:
    if state == "dead":
        RunFile(ProcessRecord("supervisor", 2**22 - 1, 1.0), addresses=ADDRESSES).write(tmp_path)
    if state == "starting":
        RunFile(own_record("supervisor")).write(tmp_path)
    with pytest.raises(typer.Exit) as caught:
        live_mesh(tmp_path)
    assert caught.value.exit_code == NO_MESH == 2


COMMANDS = {
    "status": [],
    "import": ["--ratings", "r.csv", "--items", "i.csv"],
    "recommend": ["--users", "u.txt", "--out", "o.json"],
    "explain": ["0" * 32],
    "replay": ["--into", "fresh"],
    "promote": [],
    "rollback": [],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_data_folder_may_come_from_the_environment(tmp_path: Path, command: str) -> None:
    done = CliRunner().invoke(app, [command, *COMMANDS[command]], env={"LOOPWRIGHT_DATA_DIR": str(tmp_path / "x")})
    assert done.exit_code == NO_MESH, done.output
    assert "loopwright up" in done.stderr
