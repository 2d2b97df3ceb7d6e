from pathlib import Path

from tests.faults.history import Entry, Kind, Operation, entry_of, open_history, read_history


def entry(call: int, kind: Kind = Kind.INVOKE) -> Entry:
    return Entry(
        kind, "u1", Operation.RECOMMEND, call, 12.5, 1_800_000_000_000, scenario="s", request_id=f"s.{call}",
        degradations=("RANK/TIMEOUT/",), events=("00" * 16,), retry_after_s=0.5, replayed=True,
    )  # fmt: skip


def test_an_entry_survives_its_line() -> None:
    assert entry_of(entry(3).line()) == entry(3)
    plain = Entry(Kind.FAULT_START, "redis", "hold", 1, 0.0, 0)
    assert entry_of(plain.line()) == plain


async def test_an_appended_entry_is_in_the_file_before_the_call_goes_on(tmp_path: Path) -> None:
    async with open_history(tmp_path / "history.jsonl") as history:
        for call in range(3):
            await history.append(entry(call))
            assert read_history(history.path) == [entry(n) for n in range(call + 1)]
        history.note(entry(3, Kind.OK))
    assert read_history(history.path) == [*(entry(n) for n in range(3)), entry(3, Kind.OK)]


async def test_entries_of_many_clients_at_once_keep_their_order(tmp_path: Path) -> None:
    async with open_history(tmp_path / "history.jsonl") as history:
        for call in range(500):
            history.note(entry(call))
    assert [found.call for found in read_history(tmp_path / "history.jsonl")] == list(range(500))


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(entry(1).line() + entry(2).line()[:20])
    assert read_history(path) == [entry(1)]
