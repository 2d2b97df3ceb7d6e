import asyncio
import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.progress import Progress
from tests.unit.cli.importing.conftest import WALL_MS, Files, RunningIngest

from loopwright.cli.importing import command
from loopwright.cli.importing.command import Clock, Imported, Job, run_import, write_rejects
from loopwright.cli.importing.rows import Reject
from loopwright.cli.importing.stream import send_batches
from loopwright.eventlog import CATALOG, CONTROL, ORGANIC, occurred_at_ms
from loopwright.faults import ClockRefused, DependencyDown, TooLate

DAY = 86_400
START = 880_000_000


@pytest.fixture(autouse=True)
def nobody_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no projector here: an import is over when everything is durable."""

    async def settled(kafka: str, progress: Progress) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(command, "_settle", settled)


def job(files: Files, **options: object) -> Job:
    return replace(Job(files.ratings, files.items, Clock.EVENT, 1.0, None, 4.0, ""), **options)  # type: ignore[arg-type]


async def imported(ingest: RunningIngest, files: Files, **options: object) -> Imported:
    with Progress(disable=True) as progress:
        return await run_import(job(files, **options), files.folder / "data", ingest.target, "", progress)


def rejected_rows(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(path).read_text("utf-8").splitlines()))


def rows(count: int, users: int = 3) -> list[str]:
    return [f"u{n % users},i{1 + n % 2},{1 + n % 5},{START + n}" for n in range(count)]


async def test_history_is_on_the_log_in_time_order_and_the_clock_goes_on_a_second_after_it(
    ingest: RunningIngest, files: Files
) -> None:
    files.write(rows(40))
    done = await imported(ingest, files)
    assert (done.items, done.interactions, done.rejects, done.resumed_at) == (2, 40, 0, 0)
    organic = [event.organic_interaction for event in ingest.events(ORGANIC)]
    assert len(organic) == 40 and sum(o.liked for o in organic) == 16
    assert {occurred_at_ms(e) for e in ingest.events(CATALOG)} == {START * 1000, (START + 1) * 1000}
    assert ingest.process.clock.now_ms() == (START + 40) * 1000


async def test_under_the_wall_clock_rows_happen_on_arrival(ingest: RunningIngest, files: Files) -> None:
    files.write(rows(6))
    await imported(ingest, files, clock=Clock.NOW)
    assert {occurred_at_ms(e) for e in ingest.events(ORGANIC)} == {WALL_MS}
    assert ingest.events(CONTROL) == []


async def test_events_later_than_the_wall_move_the_clock_first(ingest: RunningIngest, files: Files) -> None:
    late = WALL_MS // 1000 + 10 * DAY
    files.write([f"u1,i1,5,{late}"])
    assert (await imported(ingest, files)).rejects == 0
    assert ingest.process.clock.now_ms() == (late + 1) * 1000


async def test_a_repeated_import_appends_nothing(ingest: RunningIngest, files: Files) -> None:
    files.write(rows(10))
    await imported(ingest, files)
    assert (await imported(ingest, files)).interactions == 10
    assert len(ingest.events(ORGANIC)) == 10


async def test_shares_of_one_file_follow_each_other(ingest: RunningIngest, files: Files) -> None:
    files.write(rows(30))
    await imported(ingest, files, first_share=0.8)
    assert len(ingest.events(ORGANIC)) == 24
    await imported(ingest, files, first_share=0.8, next_share=0.1)
    assert len(ingest.events(ORGANIC)) == 27


async def test_rejects_are_written_with_file_line_and_reason(ingest: RunningIngest, files: Files) -> None:
    files.write(["u1,i1,5,880000000", "u1,i9,5,880000001", "u1,i1,bad,880000002"])
    done = await imported(ingest, files)
    assert (done.interactions, done.rejects) == (1, 2)
    table = rejected_rows(done.rejects_file)
    assert [(r["file"], r["line"], r["field"], r["reason"].partition(":")[0]) for r in table] == [
        ("ratings.csv", "3", "item_id", "UNKNOWN_ITEM"),
        ("ratings.csv", "4", "rating", "NOT_A_NUMBER"),
    ]


async def test_a_file_older_than_the_dedup_window_is_refused_whole(ingest: RunningIngest, files: Files) -> None:
    files.write([f"u1,i1,5,{START}"])
    await imported(ingest, files)
    before = len(ingest.events(ORGANIC)), len(ingest.events(CATALOG)), len(ingest.events(CONTROL))
    files.write([f"u2,i1,5,{START - DAY - 1}", f"u2,i2,5,{START + 5}"])
    with pytest.raises(TooLate, match="line 2"):
        await imported(ingest, files)
    assert before == (len(ingest.events(ORGANIC)), len(ingest.events(CATALOG)), len(ingest.events(CONTROL)))


async def test_a_file_that_ends_before_the_logs_newest_fact_is_refused_before_its_first_append(
    ingest: RunningIngest, files: Files
) -> None:
    files.write([f"u1,i1,5,{START}"])
    await imported(ingest, files)
    files.write([f"u2,i1,5,{START - 100}"])
    with pytest.raises(ClockRefused, match="--clock now"):
        await imported(ingest, files)
    assert len(ingest.events(ORGANIC)) == 1


@pytest.mark.parametrize("broken_at", range(1, 9))
async def test_an_interrupted_import_goes_on_without_loss_or_repetition(
    ingest: RunningIngest, files: Files, monkeypatch: pytest.MonkeyPatch, broken_at: int
) -> None:
    files.write(
        [f"u{n % 3},i{n % 4},4,{START + n}" for n in range(40)],
        items=[f"i{n},Title {n},,,,," for n in range(12, -1, -1)],
    )
    monkeypatch.setattr(command, "ITEM_BATCH", 3)
    monkeypatch.setattr(command, "INTERACTION_BATCH", 10)
    batches = 0

    async def breaking(call, sent: Sequence[object], message, **options):  # type: ignore[no-untyped-def]
        acknowledged = options["acknowledged"]

        async def told(count: int) -> None:
            nonlocal batches
            batches += 1
            if batches > broken_at:
                raise DependencyDown("the machine stopped")
            await acknowledged(count)

        return await send_batches(call, sent, message, **{**options, "acknowledged": told})

    monkeypatch.setattr(command, "send_batches", breaking)
    with pytest.raises(DependencyDown):
        await imported(ingest, files)
    monkeypatch.setattr(command, "send_batches", send_batches)
    await imported(ingest, files)
    known = {event.item_upserted.external_id for event in ingest.events(CATALOG)}
    assert known == {f"i{n}" for n in range(13)}
    distinct = {event.event_id for event in ingest.events(ORGANIC)}
    assert len(distinct) == 40 == len(ingest.events(ORGANIC))


def test_an_import_without_rejects_leaves_no_rejects_file(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    write_rejects(path, [Reject("f", 1, "x", "y")])
    assert path.exists()
    write_rejects(path, [])
    assert not path.exists()
