import re
import tomllib

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


def test_the_vendored_rules_carry_their_licence() -> None:
    assert "Apache License" in (ROOT / "protos" / "buf" / "validate" / "LICENSE").read_text("utf-8")
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
