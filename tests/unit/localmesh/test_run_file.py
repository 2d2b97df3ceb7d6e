import os
from pathlib import Path

import psutil

from loopwright.localmesh.process import ProcessRecord
from loopwright.localmesh.run_file import RunFile, read_run_file, remove_run_file


def ourselves() -> ProcessRecord:
    return ProcessRecord("supervisor", os.getpid(), psutil.Process().create_time())


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    run = RunFile(ourselves(), (ProcessRecord("kafka", 7, 1.5),), {"kafka": "127.0.0.1:9"})
    run.write(tmp_path / "new")
    assert read_run_file(tmp_path / "new") == run
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["run.json"]


def test_a_run_is_alive_while_its_supervisor_is() -> None:
    assert RunFile(ourselves()).alive
    assert not RunFile(ProcessRecord("supervisor", os.getpid(), 1.0)).alive


def test_a_folder_without_a_mesh_has_no_run(tmp_path: Path) -> None:
    assert read_run_file(tmp_path) is None


def test_a_removed_run_is_gone_and_may_be_removed_again(tmp_path: Path) -> None:
    RunFile(ourselves()).write(tmp_path)
    remove_run_file(tmp_path)
    remove_run_file(tmp_path)
    assert read_run_file(tmp_path) is None
