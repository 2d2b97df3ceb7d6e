"""`loopwright import`: checks both files, streams them in time order, waits until the mesh has folded them."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, TaskID

from loopwright.cli.importing.clients import IngestClient
from loopwright.cli.importing.convert import interactions_request, items_request
from loopwright.cli.importing.rows import ItemRow, Reject, read_items, read_ratings
from loopwright.cli.importing.selection import Selected, item_times, select
from loopwright.cli.importing.settle import settled
from loopwright.cli.importing.state import StateFile
from loopwright.cli.importing.stream import send_batches
from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, err, live_mesh, out
from loopwright.cli.progress import progress_bars
from loopwright.eventlog import KafkaEventLog
from loopwright.faults import ClockRefused, Fault, Kind, TooLate
from loopwright.rpc import ChannelSettings, Deadline, open_channel

ITEM_BATCH = 500
INTERACTION_BATCH = 2000
STREAM_WITHIN_S = 3600.0
SETTLE_WITHIN_S = 900.0


class Clock(StrEnum):
    """What stamps the interactions."""

    EVENT = "event"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Job:
    """One import: files and options."""

    ratings: Path
    items: Path
    clock: Clock
    first_share: float
    next_share: float | None
    like_at: float
    surface: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import."""

    items: int
    interactions: int
    rejects: int
    rejects_file: str
    resumed_at: int


def import_(
    ratings: Annotated[Path, typer.Option(help="CSV: user_id,item_id,rating,timestamp (Unix seconds).")],
    items: Annotated[Path, typer.Option(help="CSV: item_id,title[,tags,creator,published_at,locale,text].")],
    clock: Annotated[Clock, typer.Option(help="event: keep event times and set the mesh clock after them; "
                                              "now: the mesh clock stamps each row on arrival.")] = Clock.EVENT,
    first_share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Import the first floor(F*n) of each user's "
                                                                     "n rows.")] = 1.0,
    like_at: Annotated[float, typer.Option(help="Ratings from here on count as likes.")] = 4.0,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Import a catalogue and interactions; returns when the whole mesh has folded them."""
    run = live_mesh(data_dir)
    job = Job(ratings, items, clock, first_share, None, like_at, "")
    try:
        with progress_bars() as progress:
            done = asyncio.run(run_import(job, data_dir, run.addresses["ingest"], run.addresses["kafka"], progress))
    except Fault as fault:
        err.print(f"[bold]{fault.reason}[/bold] {fault}", highlight=False)
        raise typer.Exit(1) from fault
    if as_json:
        out.print_json(json.dumps({name: getattr(done, name) for name in done.__slots__}))
        return
    out.print(f"imported {done.items} items and {done.interactions} interactions, rejected {done.rejects} rows")
    if done.rejects:
        out.print(f"rejected rows: {done.rejects_file}")


async def run_import(job: Job, data_dir: Path, ingest: str, kafka: str, progress: Progress) -> Imported:
    """Run one import against a live mesh.

    Raises:
        InvalidRequest: A file cannot be read.
        TooLate: The file is older than the log's dedup window; nothing was appended.
        Fault: The mesh refused or went away; the next call goes on where this one ended.
    """
    rejects: list[Reject] = []
    items = read_items(job.items, rejects)
    rows = read_ratings(job.ratings, rejects)
    selected = select(
        rows, {item.item_id for item in items}, rejects, job.ratings.name,
        first_share=job.first_share, next_share=job.next_share,
    )  # fmt: skip
    options = (job.clock, job.first_share, job.next_share, job.like_at, job.surface)
    state = StateFile(data_dir, *options, files=(job.ratings, job.items))
    resumed_at = state.state.interactions
    rejects_file = data_dir / "imports" / f"{job.ratings.stem}.rejects.csv"
    async with open_channel(ingest, ChannelSettings()) as channel:
        client = IngestClient(channel)
        if not state.state.complete:
            if not state.state.items:
                await _clock_ready(client, job, selected)
            await _send_items(client, job, items, selected, state, rejects, progress)
            await _send_interactions(client, job, selected, state, rejects, progress)
            if job.clock is Clock.EVENT and selected:
                await client.set_clock(selected[-1].row.time_ms + 1000, "import --clock event")
    await _settle(kafka, progress)
    state.advance(complete=True)
    write_rejects(rejects_file, rejects)
    return Imported(len(items), len(selected), len(rejects), str(rejects_file), resumed_at)


async def _clock_ready(client: IngestClient, job: Job, left: list[Selected]) -> None:
    """Before the first append: refuse what the log is too far ahead of, move the clock past what is to come."""
    if job.clock is Clock.NOW or not left:
        return
    marks = await client.watermarks()
    if marks.clock_fixed:
        raise ClockRefused("a SERVE decision is on the log, so the mesh clock is fixed: import with --clock now")
    first, last = left[0].row, left[-1].row
    if marks.newest_organic_ms is not None and first.time_ms < marks.newest_organic_ms - marks.dedup_window_ms:
        raise TooLate(
            f"line {first.line} of {job.ratings.name} is older than the log's newest interaction by more than the "
            f"dedup window of {marks.dedup_window_ms // 1000} s; nothing was appended"
        )
    if marks.newest_ms is not None and last.time_ms + 1000 < marks.newest_ms:
        raise ClockRefused(
            f"the log holds facts later than the last row of {job.ratings.name}, so the mesh clock cannot go back to "
            "it: import with --clock now; nothing was appended"
        )
    if last.time_ms > marks.mesh_ms:
        await client.set_clock(last.time_ms + 1000, "import --clock event of later events")


async def _send_items(
    client: IngestClient,
    job: Job,
    items: list[ItemRow],
    selected: list[Selected],
    state: StateFile,
    rejects: list[Reject],
    progress: Progress,
) -> None:
    newest = (await client.watermarks()).newest_ms or 0
    times = item_times(items, selected) if job.clock is Clock.EVENT else {}
    # The log keeps a day of ids per partition: facts must arrive in the order of their times. The order may not depend
    # on the log, else an interrupted import would go on at another item than the one it came to.
    ordered = sorted(items, key=lambda item: times.get(item.item_id, 0))
    left = [
        (item, max(times[item.item_id], newest) if item.item_id in times else None)
        for item in ordered[state.state.items :]
    ]
    await _send(
        client.items, left, items_request, "items", ITEM_BATCH, state, state.state.items, rejects, progress,
        lambda row, field, reason: Reject(job.items.name, row[0].line, field, reason),
    )  # fmt: skip


async def _send_interactions(
    client: IngestClient,
    job: Job,
    selected: list[Selected],
    state: StateFile,
    rejects: list[Reject],
    progress: Progress,
) -> None:
    def message(batch: int, rows: Sequence[Selected]) -> object:
        event_time = job.clock is Clock.EVENT
        return interactions_request(batch, rows, like_at=job.like_at, event_time=event_time, surface=job.surface)

    start = state.state.interactions
    await _send(
        client.interactions, selected[start:], message, "interactions", INTERACTION_BATCH, state, start, rejects,
        progress, lambda row, field, reason: Reject(job.ratings.name, row.row.line, field, reason),
    )  # fmt: skip


async def _send(
    method: Callable[..., Any],
    rows: Sequence[Any],
    message: Callable[..., Any],
    name: str,
    batch_rows: int,
    state: StateFile,
    start: int,
    rejects: list[Reject],
    progress: Progress,
    rejected: Callable[..., Reject],
) -> None:
    """Send the rows, reopening the stream where it broke as long as every opening gets further."""
    task = progress.add_task(name, total=start + len(rows), completed=start)
    done = 0

    async def acknowledged(count: int) -> None:
        nonlocal done
        done = base + count
        state.advance(**{name: start + done})
        progress.update(task, completed=start + done)

    while done < len(rows):
        base = done
        try:
            await send_batches(
                lambda requests: method(requests, timeout=STREAM_WITHIN_S),
                rows[base:],
                message,
                batch_rows=batch_rows,
                acknowledged=acknowledged,
                rejected=rejected,
                rejects=rejects,
            )
        except Fault as fault:
            if fault.kind not in (Kind.UNAVAILABLE, Kind.DEADLINE) or done == base:
                raise


async def _settle(kafka: str, progress: Progress) -> None:
    async with KafkaEventLog.open(kafka, producer="cli") as log:
        tasks: dict[str, TaskID] = {}

        def told(step: str, share: float) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(f"folding: {step}", total=100)
            progress.update(tasks[step], completed=round(100 * share))

        await settled(log, Deadline.after(SETTLE_WITHIN_S), told)


def write_rejects(path: Path, rejects: list[Reject]) -> None:
    """Write the rejected rows with file, line, field and reason; no file when there are none."""
    if not rejects:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "line", "field", "reason"))
        writer.writerows((r.file, r.line, r.field, r.reason) for r in sorted(rejects, key=lambda r: (r.file, r.line)))
