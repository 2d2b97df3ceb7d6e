"""`python -m benchmarks.rates`: one broker and one store; every rate beside librdkafka on the same topic."""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
import time
from pathlib import Path

from benchmarks.harness.machine import load
from benchmarks.harness.results import write_section
from benchmarks.harness.rounds import Table, measure
from benchmarks.harness.tables import markdown
from benchmarks.rates import importing, replaying, training
from benchmarks.rates.projecting import items_caught_up, users_caught_up
from benchmarks.rates.raw import RawTopic
from benchmarks.rates.servers import PARTITIONS, Servers, servers, whole_name
from benchmarks.rates.world import SEED, events, interactions
from loopwright.eventlog import ORGANIC
from loopwright.lifecycle.memory import settle_memory
from loopwright.rpc import Deadline

PARTS = ("replay", "project", "import", "train")
REPLAYED, PROJECTED, IMPORTED, TRAINED = 300_000, 40_000, 40_000, 5_000
"""Events of each part and round."""

_CONSUMER, _READ, _FIT = "librdkafka consumer of the same topic", "training: read into evidence", "training: fit"
_USERS, _ITEMS = "projector stage 1 (user rows), alone", "projector stage 2 (item rows), alone"
_DURABLE, _VISIBLE = "import: acknowledged as durable", "import: item rows visible in the mirror"
_TITLE = "Events a second: import, replay, projector, training"

Rows = list[tuple[object, ...]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rates", description=__doc__)
    parser.add_argument("--parts", default=",".join(PARTS), help="which of them to run; all of them write RESULTS.md")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each part; figures are medians over them")
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel("CRITICAL")  # the broker elects leaders of new topics while we begin
    parts = asked.parts.split(",")
    before = load()
    text = asyncio.run(_run(parts, asked.rounds))
    if set(parts) >= set(PARTS):
        text = write_section("rates", _TITLE, text, seeds=f"world {SEED}", load_before=before)
    print(text)


async def _run(parts: list[str], rounds: int) -> str:
    told: list[str] = []
    with tempfile.TemporaryDirectory(prefix="loopwright-rates-") as folder:
        async with servers(Path(folder)) as running:
            for name, part in (("replay", _replay), ("project", _project), ("import", _import), ("train", _train)):
                if name in parts:
                    told.append(await part(running, rounds))
    return "\n\n".join(told)


async def _replay(running: Servers, rounds: int) -> str:
    async with replaying.replay_arms(running, REPLAYED) as (readers, writers):
        settle_memory()
        read = await measure(readers, rounds=rounds, per_round=1, warm_up=1)
        written = await measure(writers, rounds=rounds, per_round=1, warm_up=0)
    floor, stricter = replaying.TAKEN, replaying.COUNTED
    rows: Rows = [
        (arm, _rate(read, arm, REPLAYED), read.ratio(floor, arm), read.ratio(stricter, arm)) for arm in readers
    ]
    rows += [(arm, _rate(written, arm, REPLAYED), written.ratio(replaying.PRODUCED, arm), "") for arm in writers]
    return (
        f"One topic of {REPLAYED:,} interactions of about 120 bytes over {PARTITIONS} partitions, zstd. Asked of the "
        "de-duplicated replay: at least .25 of the consumer.\n\n"
        + markdown(["", "events/s", "× librdkafka", "× librdkafka, counted only"], rows)
    )


async def _project(running: Servers, rounds: int) -> str:
    entries = events(interactions(PROJECTED, users=importing.USERS, items=importing.ITEMS))
    settle_memory()
    taken: dict[str, list[list[float]]] = {_CONSUMER: [], _USERS: [], _ITEMS: []}
    for number in range(rounds):
        prefix = await running.make(f"rates.fold{number}.")
        async with running.log(prefix, "ingest") as log:
            for start in range(0, PROJECTED, 2000):
                await log.append_many(ORGANIC, entries[start : start + 2000], deadline=Deadline.after(30))
        topic = RawTopic(running.kafka, whole_name(prefix, ORGANIC), PARTITIONS)
        topic.consume(PROJECTED, values=True)
        began = time.perf_counter()
        topic.consume(PROJECTED, values=True)
        taken[_CONSUMER].append([(time.perf_counter() - began) * 1000])
        topic.close()
        async with running.log(prefix, "projector") as log:
            taken[_USERS].append([await users_caught_up(log, running.redis, prefix)])
            taken[_ITEMS].append([await items_caught_up(log, running.redis, prefix)])
    table = Table(taken)
    return (
        f"Catch-up over {PROJECTED:,} interactions of {importing.USERS:,} users with {importing.ITEMS:,} items, from "
        "an empty store to the end of the log, one stage at a time, one process. Asked: at least 10,000 a second each; "
        "stage 2 is counted in facts, one an interaction.\n\n" + _table(table, PROJECTED, _CONSUMER)
    )


async def _import(running: Servers, rounds: int) -> str:
    prefix = await running.make("rates.import.")
    taken: dict[str, list[list[float]]] = {_CONSUMER: [], _DURABLE: [], _VISIBLE: []}
    async with importing.importing(running, prefix) as mesh:
        settle_memory()
        catalogue_ms = await mesh.catalogue()
        topic = RawTopic(running.kafka, whole_name(prefix, ORGANIC), PARTITIONS)
        await mesh.interactions(IMPORTED)  # the first calls warm the broker up
        for number in range(rounds):
            durable, visible = await mesh.interactions(IMPORTED)
            count = IMPORTED * (number + 2)
            topic.consume(count, values=True)
            began = time.perf_counter()
            topic.consume(count, values=True)
            # Of as many as a round sends, so that the ratio is one of rates.
            taken[_CONSUMER].append([(time.perf_counter() - began) * 1000 * IMPORTED / count])
            taken[_DURABLE].append([durable])
            taken[_VISIBLE].append([visible])
        topic.close()
    return (
        f"Import of {IMPORTED:,} interactions a round through gRPC; ingest and projector are processes, the mirror and "
        f"the sender share one. Asked: at least 5,000 a second visible. The catalogue of {importing.ITEMS:,} items "
        f"took {importing.ITEMS / catalogue_ms * 1000:,.0f} items a second until visible.\n\n"
        + _table(Table(taken), IMPORTED, _CONSUMER)
    )


async def _train(running: Servers, rounds: int) -> str:
    prefix = await running.make("rates.train.")
    await training.write_world(running, prefix, TRAINED)
    topic = RawTopic(running.kafka, whole_name(prefix, ORGANIC), PARTITIONS)
    topic.consume(TRAINED, values=True)
    taken: dict[str, list[list[float]]] = {_CONSUMER: [], _READ: [], _FIT: []}
    for number in range(rounds):
        began = time.perf_counter()
        topic.consume(TRAINED, values=True)
        taken[_CONSUMER].append([(time.perf_counter() - began) * 1000])
        trained = await training.train(running, prefix, number)
        taken[_READ].append([trained.read_s * 1000])
        taken[_FIT].append([trained.fit_s * 1000])
    topic.close()
    return (
        f"The training job on {TRAINED:,} interactions of {training.USERS:,} users with {training.ITEMS:,} items, one "
        "thread a model. Reading includes a new connection for each partition; fitting is all epochs of all models.\n\n"
        + _table(Table(taken), TRAINED, _CONSUMER)
    )


def _table(table: Table, count: int, floor: str) -> str:
    rows = [(arm, _rate(table, arm, count), table.ratio(floor, arm)) for arm in table.rounds]
    return markdown(["", "events/s", "× librdkafka"], rows)


def _rate(table: Table, arm: str, count: int) -> float:
    return count / table.p50(arm) * 1000


if __name__ == "__main__":
    main()
