"""Lists of every stage as the running mesh made them: EVALUATE requests with their funnel, read back by Explain."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
from rich.progress import Progress

from benchmarks.quality.baselines import Lists
from loopwright.cli.clients import Ask, Explained, front_door
from loopwright.cli.recommending import ask_all
from loopwright.localmesh.run_file import read_run_file

LENGTH = 20
EXPLAINED_WITHIN_S = 30.0
AT_ONCE = 4

SOURCES, RETRIEVAL, PRE_RANK, RANKER, FINAL = (
    "source",
    "retrieval order",
    "pre-rank order",
    "ranker order",
    "final order",
)


def loopwright(*arguments: str) -> None:
    """Run a command of the product; its words go to the terminal."""
    program = Path(sys.executable).with_name("loopwright")
    subprocess.run([program, *arguments], check=True)


async def stage_lists(data_dir: Path, users: list[str]) -> dict[str, Lists]:
    """Return the lists of each source and stage for every user.

    Raises:
        SystemExit: Some answers stayed degraded: their figures would not be the product's.
    """
    run = read_run_file(data_dir)
    if run is None:
        raise SystemExit(f"no mesh runs in {data_dir}")
    lists: dict[str, Lists] = {}
    with Progress() as progress:
        asking = progress.add_task("lists", total=len(users))
        reading = progress.add_task("funnels", total=len(users))
        async with front_door(run.addresses["recommender"]) as door:
            asks = [Ask(user, LENGTH, "home", None, True) for user in users]
            found = await ask_all(door, asks, run_id=uuid.uuid4().hex[:16], told=lambda: progress.advance(asking))
            if found.degraded:
                raise SystemExit(f"{len(found.degraded)} answers stayed degraded: {next(iter(found.degraded.items()))}")
            waiting = iter(users)

            async def explain() -> None:
                for user in waiting:
                    told = await door.explain(found.decisions[user], EXPLAINED_WITHIN_S)
                    for stage, ranked in stages(told).items():
                        lists.setdefault(stage, {})[user] = ranked
                    progress.advance(reading)

            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(explain())
    for user in users:
        assert lists[FINAL][user] == list(found.lists[user]), "the record and the answer differ"
    return lists


def stages(explained: Explained) -> dict[str, list[str]]:
    """Return the ranked items of each source and stage of one decision; sources by their own rank."""
    record, names = explained.record, np.array(explained.item_ids)
    table = record.candidates
    if table is None:
        raise SystemExit("a decision has no funnel on record")
    found: dict[str, list[str]] = {}
    for column, report in enumerate(record.sources):
        rank = table.source_ranks[:, column]
        rows = np.flatnonzero(rank > 0)
        found[f"{SOURCES} {report.source.name.lower()}"] = names[rows[np.argsort(rank[rows])]].tolist()[:LENGTH]
    found[RETRIEVAL] = names.tolist()[:LENGTH]
    cut = np.argsort(-table.pre_scores, kind="stable")
    found[PRE_RANK] = names[cut].tolist()[:LENGTH]
    best = cut[: record.best_n]
    found[RANKER] = names[best[np.argsort(-table.utility[best], kind="stable")]].tolist()[:LENGTH]
    place = dict(zip(table.item_ids.tolist(), names.tolist(), strict=True))
    found[FINAL] = [place[position.item_id] for position in record.slate]
    return found
