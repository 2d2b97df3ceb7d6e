from rich.console import Console
from tests.bad_events import organic_event

from loopwright.cli.dead_letters.letters import Letter, Place
from loopwright.cli.dead_letters.tables import counts_of, hex_dump, letter_document, list_tables, time_text

GOOD = organic_event(1, b"s" * 16).SerializeToString()


def letter(offset: int, value: bytes, reason: str = "POISON") -> Letter:
    return Letter(Place("organic", 0, offset), reason, "", b"\x01k", value, "", 0, 1_000)


def test_counts_say_how_many_this_build_could_use() -> None:
    letters = [letter(1, GOOD), letter(2, b"\xff"), letter(3, b"\xff", "UNDECODABLE")]
    assert counts_of(letters) == [
        {"topic": "organic", "reason": "POISON", "letters": 2, "usable_now": 1},
        {"topic": "organic", "reason": "UNDECODABLE", "letters": 1, "usable_now": 0},
    ]


def test_a_document_holds_the_event_or_else_the_bytes() -> None:
    assert letter_document(letter(1, GOOD))["event"]["organic_interaction"]["value"] == 1.0
    broken = letter_document(letter(1, b"\xff\x00"))
    assert (broken["event"], broken["value"], broken["key"]) == (None, "ff00", "016b")
    assert broken["trace_id"] == ""


def test_tables_print_no_more_rows_than_asked() -> None:
    console = Console(width=200)
    with console.capture() as captured:
        for table in list_tables([letter(n, GOOD) for n in range(9)], 2):
            console.print(table)
    assert captured.get().count("organic/0@") == 2
    assert "the newest 2 of 9" in captured.get()


def test_a_hex_dump_has_sixteen_bytes_a_line_and_their_ascii() -> None:
    lines = hex_dump(b"abc\x00" + bytes(range(16))).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("000000  61 62 63 00 00 01") and lines[0].endswith("abc.............")
    assert lines[1].startswith("000010  0c 0d 0e 0f")


def test_a_time_that_no_calendar_has_is_printed_as_a_number() -> None:
    assert time_text(0) == "1970-01-01T00:00:00.000+00:00"
    assert time_text(2**62) == f"{2**62} ms"
