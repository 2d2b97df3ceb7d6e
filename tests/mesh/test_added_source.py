"""CONTRIBUTING's "add a source" in a copy of the tree: one file and one line give a source that everybody knows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def checklist() -> tuple[str, str]:
    """Return the file and the test that "Add a source" of CONTRIBUTING.md shows, as they stand there."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text.partition("## Add a source\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^ +```python\n(.*?)^ +```$", section, re.MULTILINE | re.DOTALL)
    file, test = (textwrap.dedent(block) for block in blocks)
    return file, test


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tree with the line, under a number that nobody else takes, and without the file."""
    for portion in ("services", "shared", "tests"):
        shutil.copytree(ROOT / portion, tmp_path / portion, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    registry = tmp_path / "shared" / "loopwright" / "domain" / "enums.py"
    before, found, after = registry.read_text("utf-8").partition("    FALLBACK = 6\n")
    registry.write_text(f"{before}{found}    RISING = 900\n{after}", "utf-8")
    return tmp_path


def run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(copy / "services"), str(copy / "shared"), str(copy)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *command], cwd=copy, env=environment, capture_output=True, text=True, timeout=90
    )


def test_a_source_of_one_file_and_one_line_is_planned_credited_explained_proven_and_monitored(copy: Path) -> None:
    file, test = checklist()
    (copy / "services" / "loopwright" / "retrieval" / "sources" / "rising.py").write_text(file, "utf-8")
    done = run(copy, "-m", "tests.mesh.added_source", str(copy / "data"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["degradations"] == 0 and told["answered"]
    assert any("rising" in sources for sources in told["explained"])
    assert (told["proven"], told["broken"]) == (1, {})
    assert told["monitored"]["RISING"] > 0
    assert sum(told["monitored"].values()) == pytest.approx(1.0)
    (copy / "tests" / "unit" / "retrieval" / "sources" / "test_rising.py").write_text(test, "utf-8")
    done = run(copy, "-m", "pytest", "-q", "tests/unit/retrieval/sources/test_rising.py")
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def test_a_line_without_its_file_stops_retrieval_at_its_start_and_says_which_file(copy: Path) -> None:
    done = run(copy, "-c", "import loopwright.retrieval.server")
    assert done.returncode == 1
    assert "there is no loopwright/retrieval/sources/rising.py" in done.stderr
