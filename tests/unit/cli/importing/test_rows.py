from pathlib import Path

import pytest

from loopwright.cli.importing.rows import Reject, parse_time, read_items, read_ratings
from loopwright.faults import InvalidRequest

RATINGS = "user_id,item_id,rating,timestamp\n"


def ratings_of(folder: Path, text: str | bytes) -> tuple[list[tuple[str, str, float, int]], list[Reject]]:
    path = folder / "ratings.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    rejects: list[Reject] = []
    rows = read_ratings(path, rejects)
    return [(row.user_id, row.item_id, row.rating, row.time_ms) for row in rows], rejects


def test_ratings_are_read_in_file_order_with_times_in_milliseconds(tmp_path: Path) -> None:
    rows, rejects = ratings_of(tmp_path, RATINGS + "u,i,4.5,893286638\nu, j ,1,893286638.25\n")
    assert rows == [("u", "i", 4.5, 893_286_638_000), ("u", "j", 1.0, 893_286_638_250)]
    assert rejects == []


def test_columns_may_stand_in_any_order_beside_others_and_after_a_byte_order_mark(tmp_path: Path) -> None:
    rows, _ = ratings_of(tmp_path, "\ufefftimestamp,note,rating,item_id,user_id\n10,x,3,i,u\n")
    assert rows == [("u", "i", 3.0, 10_000)]


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (",i,1,1", "user_id", "EMPTY"),
        ("u,,1,1", "item_id", "EMPTY"),
        ("u,i,good,1", "rating", "NOT_A_NUMBER"),
        ("u,i,inf,1", "rating", "NOT_FINITE"),
        ("u,i,1,yesterday", "timestamp", "NOT_A_NUMBER"),
        ("u,i,1,-5", "timestamp", "OUT_OF_RANGE"),
        ("u,i,1,893286638000", "timestamp", "OUT_OF_RANGE"),
        ("u,i,1", "timestamp", "NOT_A_NUMBER"),
        ("u" * 257 + ",i,1,1", "user_id", "TOO_LONG"),
    ],
)
def test_a_bad_row_is_rejected_with_line_and_reason_and_the_others_stay(
    tmp_path: Path, line: str, field: str, reason: str
) -> None:
    rows, rejects = ratings_of(tmp_path, f"{RATINGS}u,i,1,1\n{line}\nu,j,1,2\n")
    assert [row[1] for row in rows] == ["i", "j"]
    assert [(r.file, r.line, r.field, r.reason.partition(":")[0]) for r in rejects] == [
        ("ratings.csv", 3, field, reason)
    ]


@pytest.mark.parametrize("text", ["user_id,item_id,rating\nu,i,1\n", "", RATINGS.encode() + b"\xff,i,1,1"])
def test_a_file_that_is_no_table_of_ours_is_refused_by_name(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"ratings\.csv"):
        ratings_of(tmp_path, text)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="nowhere"):
        read_ratings(tmp_path / "nowhere.csv", [])


def items_of(folder: Path, text: str) -> tuple[list[object], list[Reject]]:
    path = folder / "items.csv"
    path.write_text(text, "utf-8")
    rejects: list[Reject] = []
    return list(read_items(path, rejects)), rejects


def test_an_item_keeps_its_facts_and_the_optional_columns_may_be_missing(tmp_path: Path) -> None:
    rows, rejects = items_of(
        tmp_path,
        "item_id,title,tags,creator,published_at,locale,text\n"
        'i,"A, title",a| b ||c,Ann,1995-01-01T00:00:00Z,pt_BR,Words\nj,,,,-86400,,\n',
    )
    first, second = rows
    assert (first.title, first.tags, first.creator) == ("A, title", ("a", "b", "c"), "Ann")  # type: ignore[attr-defined]
    assert (first.published_s, first.locale, first.text) == (788_918_400.0, "pt-BR", "Words")  # type: ignore[attr-defined]
    assert (second.published_s, second.tags, second.creator) == (-86_400.0, (), "")  # type: ignore[attr-defined]
    assert rejects == []
    bare, _ = items_of(tmp_path, "item_id,title\ni,T\n")
    assert (bare[0].published_s, bare[0].tags) == (None, ())  # type: ignore[attr-defined]


def test_bad_items_and_second_rows_of_an_item_are_rejected(tmp_path: Path) -> None:
    header = "item_id,title,tags,creator,published_at,locale,text"
    many = "|".join(f"t{n}" for n in range(65))
    lines = ["i,T,,,soon,,", f"i,T,{many},,,,", "i,T,,,,no such tag,", "i,T,,,,,", "i,again,,,,,", ",T,,,,,"]
    rows, rejects = items_of(tmp_path, "\n".join([header, *lines]) + "\n")
    assert len(rows) == 1
    found = [(r.line, r.field, r.reason.partition(":")[0]) for r in rejects]
    assert found == [
        (2, "published_at", "NOT_A_TIME"),
        (3, "tags", "TOO_MANY"),
        (4, "locale", "NOT_A_TAG"),
        (6, "item_id", "DUPLICATE_ITEM"),
        (7, "item_id", "EMPTY"),
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10.5", 10.5), ("1970-01-01T00:00:10", 10.0), ("1970-01-01", 0.0), ("1970-01-01T01:00:00+01:00", 0.0)],
)
def test_a_time_is_unix_seconds_or_iso_8601_in_utc_unless_it_says_otherwise(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="soon"):
        parse_time("soon")
