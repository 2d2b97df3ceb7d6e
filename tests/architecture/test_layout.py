from pathlib import Path

import pytest

from tests.architecture.source import ROOT, modules

REFUSED_NAMES = {"utils", "util", "common", "helpers", "helper", "misc", "core", "base"}
MOST_LINES = 400


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [module.name for module in modules() if REFUSED_NAMES & set(module.parts)] == []


def test_no_module_is_longer_than_the_limit() -> None:
    assert {module.name: module.lines for module in modules() if module.lines > MOST_LINES} == {}


def mirrored(test: Path) -> list[Path]:
    """Return where the module that a unit test tests may lie."""
    relative = test.relative_to(ROOT / "tests" / "unit")
    name = relative.stem.removeprefix("test_")
    homes = [ROOT / portion / "loopwright" / relative.parent for portion in ("services", "shared")]
    return [path for home in homes for path in (home / f"{name}.py", home / name / "__init__.py")]


def test_every_unit_test_has_its_module() -> None:
    tests = sorted((ROOT / "tests" / "unit").rglob("test_*.py"))
    orphans = [str(test.relative_to(ROOT)) for test in tests if not any(path.exists() for path in mirrored(test))]
    assert orphans == []


@pytest.mark.parametrize("name", ["test_ports.py", "test_process.py"])
def test_the_mirror_finds_a_module_that_exists(name: str) -> None:
    assert any(path.exists() for path in mirrored(ROOT / "tests" / "unit" / "localmesh" / name))


def test_the_mirror_finds_no_module_that_does_not_exist() -> None:
    assert not any(path.exists() for path in mirrored(ROOT / "tests" / "unit" / "localmesh" / "test_nothing.py"))


def test_every_unit_test_file_tests_something() -> None:
    tests = sorted((ROOT / "tests" / "unit").rglob("test_*.py"))
    assert [str(test.relative_to(ROOT)) for test in tests if "def test_" not in test.read_text("utf-8")] == []
