"""The training job on a small world: the seconds it takes to read its window and to fit, as it tells them itself."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass

from benchmarks.rates.servers import Servers
from benchmarks.rates.world import SEED, catalogue, events, interactions
from loopwright.eventlog import CATALOG, ORGANIC
from loopwright.rpc import Deadline

USERS, ITEMS = 200, 400


@dataclass(frozen=True, slots=True)
class Trained:
    """Seconds of two steps of the job: reading the window into evidence, and fitting all models."""

    read_s: float
    fit_s: float


async def write_world(servers: Servers, prefix: str, rows: int) -> None:
    """Put a catalogue and interactions on a log of their own."""
    async with servers.log(prefix, "ingest") as log:
        await log.append_many(CATALOG, catalogue(ITEMS), deadline=Deadline.after(30))
        await log.append_many(
            ORGANIC, events(interactions(rows, users=USERS, items=ITEMS)), deadline=Deadline.after(30)
        )


async def train(servers: Servers, prefix: str, number: int) -> Trained:
    """Run the job once, in a process of its own with an empty model store.

    Raises:
        RuntimeError: It failed; the text is what it said.
    """
    settings = {
        "LOOPWRIGHT_TRAINER_KAFKA_BOOTSTRAP": servers.kafka,
        "LOOPWRIGHT_TRAINER_TOPIC_PREFIX": prefix,
        "LOOPWRIGHT_TRAINER_MODEL_STORE_PATH": str(servers.folder / f"models-{number}"),
    }
    job = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "loopwright.trainer.job",
        "--seed",
        str(SEED),
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, complaints = await job.communicate()
    lines = [json.loads(line) for line in told.splitlines()]
    if job.returncode or lines[-1]["event"] != "result":
        raise RuntimeError((told[-2000:] + complaints[-2000:]).decode("utf-8", "replace"))
    seconds = lines[-1]["seconds"]
    return Trained(seconds["replay"], seconds["fit"])
