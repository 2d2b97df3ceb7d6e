from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_models import put_two_tower

from loopwright.cli.doctor import machine
from loopwright.cli.doctor.finding import State
from loopwright.localmesh.failures import ServerNotFound
from loopwright.modelstore import ModelStore

Usage = namedtuple("Usage", "total used free")


def test_a_python_that_is_too_old_is_broken() -> None:
    assert machine.python_version().state is State.OK
    old = machine.python_version((3, 10))
    assert old.state is State.BROKEN and "3.11" in old.mend


@pytest.mark.parametrize(("check", "finder"), [("java", "find_java"), ("redis_server", "find_redis")])
def test_a_missing_server_is_broken_and_says_the_mend(monkeypatch: pytest.MonkeyPatch, check: str, finder: str) -> None:
    monkeypatch.setattr(machine, finder, lambda: Path("/opt/server"))
    assert getattr(machine, check)().found == "/opt/server"

    def missing() -> Path:
        raise ServerNotFound("none here")

    monkeypatch.setattr(machine, finder, missing)
    found = getattr(machine, check)()
    assert (found.state, found.found) == (State.BROKEN, "none here") and "make setup" in found.mend


def test_missing_jars_are_broken_and_a_missing_data_set_is_only_noted(tmp_path: Path) -> None:
    assert machine.kafka_jars(tmp_path).state is State.BROKEN
    assert machine.data_set(tmp_path).state is State.NOTE
    (tmp_path / "ml-100k").mkdir()
    for name in ("ratings.csv", "items.csv"):
        (tmp_path / "ml-100k" / name).touch()
    assert machine.data_set(tmp_path).state is State.OK


def test_a_data_folder_that_does_not_exist_yet_is_judged_by_where_it_would_stand(tmp_path: Path) -> None:
    assert machine.data_folder(tmp_path / "a" / "b").state is State.OK
    (tmp_path / "file").touch()
    assert machine.data_folder(tmp_path / "file").state is State.BROKEN


@pytest.mark.parametrize(("gib", "state"), [(0.5, State.BROKEN), (3.0, State.NOTE), (30.0, State.OK)])
def test_disk_space_is_judged_by_what_a_mesh_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gib: float, state: State
) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: Usage(0, 0, int(gib * (1 << 30))))
    found = machine.disk_space(tmp_path / "new")
    assert found.state is state and bool(found.mend) == (state is not State.OK)


def test_a_model_with_other_contents_than_its_version_names_is_broken(tmp_path: Path) -> None:
    assert machine.model_store(tmp_path).state is State.OK
    store = ModelStore(tmp_path / "models")
    version = put_two_tower(store, np.arange(1, 4, dtype=np.uint64)).model_version
    assert machine.model_store(tmp_path).state is State.OK
    (store.path(version) / "item_tower.onnx").write_bytes(b"other")
    found = machine.model_store(tmp_path)
    assert found.state is State.BROKEN and f"{version[:12]} MODEL_HASH_MISMATCH" in found.found
