import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, SERVICES

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def packages(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", (ROOT / "requirements" / lock).read_text("utf-8"), re.M))


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_an_extra_and_a_lock(service: str) -> None:
    assert service in EXTRAS
    assert (ROOT / "requirements" / f"{service}.txt").exists()


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"trainer", "localmesh"}))
def test_only_the_trainer_brings_torch(service: str) -> None:
    assert packages(f"{service}.txt") & {"torch", "onnx"} == set()


def test_the_trainer_brings_torch() -> None:
    assert "torch" in packages("trainer.txt")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_pins_every_package_with_a_hash_and_names_no_address(lock) -> None:  # type: ignore[no-untyped-def]
    text = lock.read_text("utf-8")
    pinned = re.findall(r"^[a-z0-9][^\n]*==[^\n]*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.M)
    assert len(pinned) == len(re.findall(r"^[a-z0-9]", text, re.M)) > 0
    assert re.search(r"://|--(extra-)?index-url|--find-links", text) is None


def test_every_declared_dependency_is_in_the_lock_of_everything() -> None:
    declared = PROJECT["project"]["dependencies"] + [name for extra in EXTRAS.values() for name in extra]
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-") for line in declared} - {"loopwright"}
    assert names - packages("all.txt") == set()


def test_every_make_target_is_explained() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    declared = re.search(r"^\.PHONY: (.*)$", text, re.M)
    assert declared is not None
    for target in declared[1].split():
        assert re.search(rf"^{target}:.*## \w", text, re.M), target


@pytest.mark.parametrize(
    ("old", "new", "holds"),
    [
        ("string reason = 6;", "string reason = 6;\n  string added = 8;", True),
        ("int64 reported_at_ms = 7;", "", False),
        ("string reason = 6;", "string reason = 60;", False),
        ("string reason = 6;", "string cause = 6;", False),
        ("REPLICA_STATE_STOPPED = 4;", "REPLICA_STATE_STOPPED = 5;", False),
    ],
    ids=["a field more", "a field less", "another number", "another name", "another enum number"],
)
def test_the_baseline_lets_a_contract_grow_and_refuses_a_break(old: str, new: str, holds: bool, tmp_path: Path) -> None:
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    proto = tmp_path / "protos" / "loopwright" / "api" / "events" / "v1" / "control.proto"
    text = proto.read_text("utf-8")
    assert text.count(old) == 1
    proto.write_text(text.replace(old, new), "utf-8")
    command = [Path(sys.executable).with_name("buf"), "breaking", "--against", "protos/baseline.binpb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == holds, done.stdout
    assert holds or "control.proto" in done.stdout


def test_the_vendored_rules_carry_their_licence() -> None:
    assert "Apache License" in (ROOT / "protos" / "buf" / "validate" / "LICENSE").read_text("utf-8")
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
