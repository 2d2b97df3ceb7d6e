"""`python -m benchmarks.serving`: one mesh and one composition with 100,000 items, measured beside their floors."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from benchmarks.harness.machine import load
from benchmarks.harness.results import RESULTS, write_section
from benchmarks.serving import floor, nets, world
from benchmarks.serving.asking import asker
from benchmarks.serving.composed import populated_process, recommending
from benchmarks.serving.costs import measure_cost
from benchmarks.serving.floors import Prepared, floors
from benchmarks.serving.latency import Latencies, measure_composed, measure_meshed
from benchmarks.serving.loading import measure_load
from benchmarks.serving.meshed import populated_mesh
from benchmarks.serving.report import Measured, section
from benchmarks.serving.star import star
from benchmarks.serving.world import World
from loopwright.eventlog import KafkaEventLog
from loopwright.lifecycle.memory import settle_memory
from loopwright.localmesh.embedded import EmbeddedServers

SEEDS = f"world {world.SEED}, nets {nets.SEED}, rows of the floors {floor.SEED}"


async def measured(items: int, rounds: int, per_round: int) -> Measured:
    """Run both phases; the mesh is down before the composition starts."""
    drawn = World(items)
    with tempfile.TemporaryDirectory(prefix="loopwright-bench-") as folder:
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            preparing = asyncio.create_task(asyncio.to_thread(Prepared.of, drawn))
            mesh = await enter(populated_mesh(Path(folder), drawn))
            prepared = await preparing
            layout = mesh.layout
            bare = await enter(floors(prepared, layout.redis_url, layout.kafka_bootstrap))
            asking = await enter(asker(layout.target("recommender"), drawn.users))
            log = await enter(KafkaEventLog.open(layout.kafka_bootstrap, producer="cli"))
            hops = await enter(star())
            settle_memory()
            meshed = await measure_meshed(bare, hops, asking, log, rounds=rounds, per_round=per_round)
            cost = await measure_cost(mesh, asking)
            under_load = await measure_load(asking)
    with tempfile.TemporaryDirectory(prefix="loopwright-bench-") as folder:
        composed = await _composed(Path(folder), prepared, rounds, per_round)
    return Measured(meshed, composed, cost, under_load)


async def _composed(folder: Path, prepared: Prepared, rounds: int, per_round: int) -> Latencies:
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(EmbeddedServers(folder))
        bare = await stack.enter_async_context(floors(prepared, servers.redis_url, servers.kafka_bootstrap))
        mesh = await stack.enter_async_context(populated_process(folder, prepared.world))
        settle_memory()
        degraded = Counter[str]()
        arms = {size: recommending(mesh, size, prepared.world.users, degraded) for size in bare}
        return await measure_composed(bare, arms, degraded, rounds=rounds, per_round=per_round)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--items", type=int, default=world.ITEMS, help="items of the catalogue, at least 20,000")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; figures are medians over them")
    parser.add_argument("--per-round", type=int, default=100, help="runs of every arm in a round")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the file whose section is written")
    asked = parser.parse_args()
    before = load()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(measured(asked.items, asked.rounds, asked.per_round))
    text = section(found, asked.items)
    print(write_section("serving", "A decision end to end", text, seeds=SEEDS, load_before=before, path=asked.out))


if __name__ == "__main__":
    main()
