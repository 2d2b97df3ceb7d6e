from pathlib import Path

from loopwright.cli.importing.state import ImportState, StateFile


def of(folder: Path, *parts: object, text: str = "rows") -> StateFile:
    file = folder / "rows.csv"
    file.write_text(text, "utf-8")
    return StateFile(folder, *parts, files=(file,))


def test_an_import_goes_on_where_it_was(tmp_path: Path) -> None:
    first = of(tmp_path, "event", 1.0)
    first.advance(items=3)
    first.advance(interactions=2000)
    assert of(tmp_path, "event", 1.0).state == ImportState(items=3, interactions=2000)


def test_other_options_or_another_file_are_another_import(tmp_path: Path) -> None:
    of(tmp_path, "event", 1.0).advance(items=3)
    assert of(tmp_path, "event", 0.9).state == ImportState()
    assert of(tmp_path, "event", 1.0, text="other rows").state == ImportState()


def test_nothing_half_written_is_left_beside_it(tmp_path: Path) -> None:
    of(tmp_path).advance(complete=True)
    assert [path.suffix for path in (tmp_path / "imports").iterdir()] == [".json"]
