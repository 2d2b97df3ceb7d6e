"""`loopwright replay`: rebuilds users, items and index contents from the log alone and holds them to the live ones."""

from __future__ import annotations

import asyncio
import json
import uuid
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from loopwright.bundle import BundleFeed
from loopwright.cli.clients import Ask, front_door
from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, err, live_mesh, out
from loopwright.cli.progress import progress_bars
from loopwright.eventlog import EventLog, KafkaEventLog, Offsets, offsets_from_json, offsets_to_json
from loopwright.faults import Fault, FieldViolation, InvalidRequest
from loopwright.localmesh.replaying import Comparison, replay_into, replay_stores
from loopwright.localmesh.run_file import RunFile
from loopwright.modelstore import ModelStore

ASK_WITHIN_S = 5.0
DIFFERENT = 1


class Into(StrEnum):
    """Where the log is folded to."""

    FRESH = "fresh"


def replay(
    into: Annotated[Into, typer.Option(help="fresh: a clean namespace, removed afterwards.")],
    at: Annotated[str, typer.Option(help='Offsets to fold up to, {"topic/partition":offset,...} or a file of it; what '
                                         "is left out is folded to its end. Default: the ends at the start.")] = "",
    surface: Annotated[str, typer.Option(help="Surface whose active two-tower's index is compared.")] = "home",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Fold the log into a clean namespace and compare it with the live rows; exit code 1 on a difference.

    The live projector stands at the same offsets while its rows are read, and resumes.
    """
    run = live_mesh(data_dir)
    try:
        offsets = read_offsets(at)
        with progress_bars() as progress:
            found = asyncio.run(_compared(run, data_dir, offsets, surface, progress))
    except Fault as fault:
        err.print(str(fault), highlight=False, markup=False)
        raise typer.Exit(DIFFERENT) from fault
    if as_json:
        out.print_json(json.dumps(comparison_document(found)))
    else:
        out.print(comparison_table(found))
    if found.live is None:
        err.print("nothing was compared: the live projector has passed these offsets and does not go back")
        raise typer.Exit(DIFFERENT)
    if found.differences:
        err.print(f"different: {', '.join(found.differences)}")
        raise typer.Exit(DIFFERENT)


def read_offsets(text: str) -> Offsets | None:
    """Return the offsets of a JSON text or of the file that it names; None for "".

    Raises:
        InvalidRequest: It is neither.
    """
    if not text:
        return None
    if not text.lstrip().startswith("{"):
        try:
            text = Path(text).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            rule = "must be a JSON object or a readable file of one"
            raise InvalidRequest(f"--at {rule}", violations=[FieldViolation("--at", "offsets", rule)]) from error
    return offsets_from_json(text)


async def _compared(
    run: RunFile, data_dir: Path, offsets: Offsets | None, surface: str, progress: Progress
) -> Comparison:  # fmt: skip
    tasks: dict[str, TaskID] = {}

    def told(step: str, share: float) -> None:
        if step not in tasks:
            tasks[step] = progress.add_task(step, total=100)
        progress.update(tasks[step], completed=round(100 * share))

    async def serving_epoch() -> str:
        async with front_door(run.addresses["recommender"]) as door:
            request_id = f"replay.{uuid.uuid4().hex[:16]}"
            answer = await door.evaluate(Ask("loopwright-replay", 1, surface), request_id, ASK_WITHIN_S)
            return answer.versions.index_epoch

    async with KafkaEventLog.open(run.addresses["kafka"], producer="cli") as log:
        two_tower = await pinned_two_tower(log, surface)
        async with replay_stores(run.addresses["redis"]) as (live, fresh):
            return await replay_into(
                log,
                live,
                fresh,
                models=ModelStore(data_dir / "models"),
                two_tower=two_tower,
                offsets=offsets,
                serving_epoch=serving_epoch,
                told=told,
            )


async def pinned_two_tower(log: EventLog, surface: str) -> str:
    """Return the two-tower version that the surface's active bundle pins, "" when it pins none."""
    async with BundleFeed(log) as feed:
        active = feed.active(surface)
        bundle = feed.get(active.version) if active else None
        return bundle.models.two_tower if bundle else ""


def comparison_document(found: Comparison) -> dict[str, Any]:
    """Return the comparison as one JSON object."""

    def side(of: Any) -> dict[str, Any] | None:
        if of is None:
            return None
        return {name: getattr(of.hashes, name) for name in of.hashes.__slots__} | {"index": of.index}

    return {
        "equal": found.live is not None and not found.differences,
        "differences": list(found.differences),
        "offsets": json.loads(offsets_to_json(found.offsets)),
        "live": side(found.live),
        "fresh": side(found.fresh),
        "serving_index": found.serving_index,
        "records": found.records,
        "duplicates": found.duplicates,
        "late": found.late,
    }


def comparison_table(found: Comparison) -> Table:
    """Return the comparison as a table."""
    live, fresh = found.live, found.fresh
    title = f"{found.records} records folded, {found.duplicates} repeated, {found.late} late"
    table = Table("what", "rows", "live", "rebuilt from the log", "equal", title=title, title_justify="left")

    def row(what: str, rows: str, ours: str | None, theirs: str) -> None:
        verdict = "-" if ours is None else "yes" if what not in found.differences else "NO"
        table.add_row(what, rows, (ours or "-")[:32], theirs[:32], verdict)

    row("user rows", str(fresh.hashes.user_rows), live.hashes.users if live else None, fresh.hashes.users)
    row("item rows", str(fresh.hashes.item_rows), live.hashes.items if live else None, fresh.hashes.items)
    if fresh.index:
        row("index contents", str(fresh.hashes.item_rows), live.index if live else None, fresh.index)
    if found.serving_index:
        row("serving index", str(fresh.hashes.item_rows), found.serving_index, fresh.index)
    return table
