import re
import sys
from pathlib import Path

import pytest

from loopwright.domain.enums import PLANNED_SOURCES, Source
from loopwright.retrieval.sources import SOURCES
from loopwright.retrieval.sources.registry import source_of

ROOT = Path(__file__).resolve().parents[4]
GOOD = """
from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal, nothing
from loopwright.retrieval.sources.source import CandidateSource


class Fresh(CandidateSource):
    source = Source.FRESH

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        return nothing()
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """An importable folder without any source, named like no other test's."""
    folder = tmp_path / re.sub(r"\W", "_", request.node.name)
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return folder


def test_every_planned_source_has_its_object_and_its_mirrored_test() -> None:
    assert [source.source for source in SOURCES] == list(PLANNED_SOURCES)
    tests = ROOT / "tests" / "unit" / "retrieval" / "sources"
    names = [source.name.lower() for source in PLANNED_SOURCES]
    assert [name for name in names if not (tests / f"test_{name}.py").is_file()] == []


def test_the_source_is_the_class_in_the_file_of_its_name(package: Path) -> None:
    (package / "fresh.py").write_text(GOOD, "utf-8")
    assert source_of(Source.FRESH, package.name).source is Source.FRESH


def test_a_registered_source_without_a_file_is_told_by_the_file_that_is_missing(package: Path) -> None:
    with pytest.raises(ImportError, match=rf"there is no {package.name}/fresh\.py"):
        source_of(Source.FRESH, package.name)


def test_a_file_that_cannot_import_what_it_needs_says_so_itself(package: Path) -> None:
    (package / "fresh.py").write_text("import nowhere_to_be_found", "utf-8")
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        source_of(Source.FRESH, package.name)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "defines 0"),
        ("class Fresh:\n    pass", "defines 0"),
        (GOOD + "\n\nclass Fresher(Fresh):\n    pass\n", "defines 2"),
        (GOOD.replace("Source.FRESH", "Source.TRENDING"), "must say `source = Source.FRESH`"),
        (GOOD.replace("    source = Source.FRESH\n", ""), "must say `source = Source.FRESH`"),
        (GOOD.replace("def propose", "def suggest"), "abstract method"),
    ],
)
def test_a_file_that_does_not_define_the_one_source_is_refused(package: Path, text: str, told: str) -> None:
    (package / "fresh.py").write_text(text, "utf-8")
    with pytest.raises(TypeError, match=told):
        source_of(Source.FRESH, package.name)
