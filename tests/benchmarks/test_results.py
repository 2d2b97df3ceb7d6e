from pathlib import Path

import pytest
from benchmarks.harness.results import write_section


def written(path: Path, name: str, text: str) -> str:
    return write_section(name, name.title(), text, seeds="1", load_before="0 0 0", path=path)


def test_sections_stand_in_the_order_of_the_list_whoever_was_first(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    for name in ("rates", "serving", "hop"):
        written(path, name, "text")
    headings = [line for line in path.read_text("utf-8").splitlines() if line.startswith("## ")]
    assert headings == ["## Serving", "## Hop", "## Rates"]


def test_a_section_replaces_its_former_text_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    written(path, "serving", "kept | 1 |\n\n<b>")
    written(path, "hop", "old")
    written(path, "hop", "new")
    text = path.read_text("utf-8")
    assert ("old" in text, text.count("new"), text.count("kept | 1 |\n\n<b>")) == (False, 1, 1)


def test_a_section_names_machine_seeds_and_load(tmp_path: Path) -> None:
    section = write_section("hop", "Hop", "x", seeds="7 and 8", load_before="1.5 2 3", path=tmp_path / "R.md")
    assert "Seeds: 7 and 8." in section
    assert "Load average 1.5 2 3 before" in section
    assert "CPUs" in section


def test_a_name_that_no_benchmark_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing is not one of"):
        written(tmp_path / "R.md", "nothing", "x")
    assert not list(tmp_path.iterdir())
