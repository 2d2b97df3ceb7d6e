import os
import time
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_models import put_two_tower

from loopwright.cli.doctor import folders
from loopwright.cli.doctor.finding import State
from loopwright.modelstore import ModelStore


def test_a_data_folder_that_does_not_exist_yet_is_judged_by_where_it_would_stand(tmp_path: Path) -> None:
    assert folders.data_folder(tmp_path / "a" / "b").state is State.OK
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert folders.data_folder(tmp_path / "file").state is State.BROKEN


def test_a_folder_in_which_no_file_can_be_made_is_broken_even_for_root() -> None:
    found = folders.data_folder(Path("/proc/loopwright"))
    assert found.state is State.BROKEN and "/proc" in found.found and "LOOPWRIGHT_DATA_DIR" in found.mend


@pytest.mark.parametrize(
    ("needed_gib", "roomy_gib", "state"), [(1e9, 1e9, State.BROKEN), (0.0, 1e9, State.NOTE), (0.0, 0.0, State.OK)]
)
def test_disk_space_is_judged_by_what_a_mesh_needs(
    tmp_path: Path, needed_gib: float, roomy_gib: float, state: State
) -> None:
    found = folders.disk_space(tmp_path / "new", needed_gib, roomy_gib)
    assert found.state is state and bool(found.mend) == (state is not State.OK)
    assert "GiB free" in found.found


def test_a_model_with_other_contents_than_its_version_names_is_broken(tmp_path: Path) -> None:
    assert folders.model_store(tmp_path).state is State.OK
    store = ModelStore(tmp_path / "models")
    version = put_two_tower(store, np.arange(1, 4, dtype=np.uint64)).model_version
    assert folders.model_store(tmp_path).state is State.OK
    (store.path(version) / "item_tower.onnx").write_bytes(b"other")
    found = folders.model_store(tmp_path)
    assert found.state is State.BROKEN and f"{version[:12]} MODEL_HASH_MISMATCH" in found.found
    assert str(store.path(version)) in found.mend


def test_a_clock_behind_a_file_of_the_data_folder_is_broken_and_names_the_file(tmp_path: Path) -> None:
    assert folders.wall_clock(tmp_path / "none").state is State.OK
    segment = tmp_path / "kafka" / "0.log"
    segment.parent.mkdir()
    segment.touch()
    assert folders.wall_clock(tmp_path).state is State.OK
    assert folders.wall_clock(tmp_path, time.time() - 4.0).state is State.OK
    os.utime(segment, times=(0, time.time() + 7200))
    found = folders.wall_clock(tmp_path)
    assert found.state is State.BROKEN and str(segment) in found.found and "timedatectl" in found.mend
    assert "2:00:00" in found.found or "1:59:59" in found.found


def test_a_clock_from_before_this_build_was_installed_is_broken(tmp_path: Path) -> None:
    assert folders.wall_clock(tmp_path, 0.0).state is State.BROKEN
