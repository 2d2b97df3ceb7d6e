"""Steps that bring rows in: everybody's past with its own times, and what the held users did meanwhile, as of now."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from loopwright.cli.demo.population import LIKE_AT, NEXT_SHARE, PAST_SHARE
from loopwright.cli.demo.scene import Scene, mesh_now_ms
from loopwright.cli.importing.command import Clock, Imported, Job, run_import
from loopwright.cli.importing.rows import RATING_COLUMNS, RatingRow


async def import_past(scene: Scene) -> str:
    """Import the catalogue and the first 80 % of each user's rows; the mesh clock goes on where they end."""
    ratings = scene.dataset.ratings
    if scene.options.users_share < 1.0:
        ratings = write_ratings(scene.inputs / "ratings.csv", scene.population.rows)
    done = await _import(scene, ratings, Clock.EVENT, PAST_SHARE, None)
    scene.report.facts["population"] = {
        "live_users": len(scene.population.live),
        "held_users": len(scene.population.held),
        "items": done.items,
        "imported_interactions": done.interactions,
        "rejected_rows": done.rejects,
    }
    return f"{done.items} items, {done.interactions} interactions, {done.rejects} rejected"


async def import_held(scene: Scene) -> str:
    """Let the held users' next 10 % arrive as organic rows, stamped by the mesh clock, and wait until all is folded."""
    ratings = write_ratings(scene.inputs / "held.csv", scene.population.held_rows)
    done = await _import(scene, ratings, Clock.NOW, PAST_SHARE, NEXT_SHARE)
    async with scene.log() as log:
        scene.judged_at_ms = await mesh_now_ms(log)
    scene.report.facts["population"]["organic_meanwhile"] = done.interactions
    return f"{done.interactions} organic rows of {len(scene.population.held)} held users"


async def _import(scene: Scene, ratings: Path, clock: Clock, first: float, following: float | None) -> Imported:
    job = Job(ratings, scene.dataset.items, clock, first, following, LIKE_AT, "")
    return await run_import(job, scene.folder, scene.addresses["ingest"], scene.addresses["kafka"], scene.progress)


def write_ratings(path: Path, rows: Iterable[RatingRow]) -> Path:
    """Write rows in the importer's own format and return the path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(RATING_COLUMNS)
        writer.writerows((row.user_id, row.item_id, row.rating, row.time_ms / 1000) for row in rows)
    return path
