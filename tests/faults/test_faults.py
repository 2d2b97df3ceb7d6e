"""Under steady load with actions, each part of the mesh dies in turn; the checker reads what is left."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.checker import Refusal
from tests.faults.scenario import WHOLE, Act, Stage, assert_kept, run_scenario
from tests.faults.world import World

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(150),
    pytest.mark.asyncio(loop_scope="package"),
]

NO_CHANNEL: tuple[Refusal, ...] = (("*", "UNAVAILABLE", "UNAVAILABLE"),)
"""The caller's own channel says that nobody listens."""

NO_LEDGER: tuple[Refusal, ...] = (("recommend", "UNAVAILABLE", "*"), *NO_CHANNEL)
"""Without exposure there is no slate; reports find nobody."""


async def judge(
    world: World, name: str, act: Act, *, allowed: tuple[Refusal, ...] = (), projections: bool = False
) -> None:
    row = await run_scenario(world, name, act, allowed=allowed, projections=projections)
    print(f"\n{row.fault}: {row.notes}")
    assert_kept(row.verdict, row)


EVERY_PROCESS = (
    "recommender-0", "retrieval", "hydration", "ranking-0", "policy", "exposure-0", "ingest", "projector", "monitor",
)  # fmt: skip
A_FEW = ("recommender-0", "hydration", "exposure-0", "projector")


async def test_without_a_fault_nothing_is_broken(world: World) -> None:
    async def act(stage: Stage) -> None:
        await asyncio.sleep(5)

    await judge(world, "none", act, projections=True)


@pytest.mark.parametrize("process", EVERY_PROCESS if WHOLE else A_FEW)
async def test_a_killed_process_costs_no_answer(world: World, process: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.nemesis.kill(process)

    await judge(world, f"kill {process}", act)


@pytest.mark.parametrize(
    ("service", "allowed"), [("ranking", ()), ("recommender", NO_CHANNEL), ("exposure", NO_LEDGER)]
)
async def test_a_service_that_is_wholly_down_is_told_and_over_soon(
    world: World, service: str, allowed: tuple[Refusal, ...]
) -> None:
    async def act(stage: Stage) -> None:
        async with stage.nemesis.held(service):
            await asyncio.sleep(4)

    await judge(world, f"{service} down", act, allowed=allowed)


async def test_redis_killed(world: World) -> None:
    async def act(stage: Stage) -> None:
        async with stage.nemesis.held("redis"):
            await asyncio.sleep(5)

    await judge(world, "redis killed", act, projections=True)


async def test_redis_frozen(world: World) -> None:
    async def act(stage: Stage) -> None:
        async with stage.nemesis.frozen("redis"):
            await asyncio.sleep(10)

    await judge(world, "redis frozen", act)


async def test_redis_emptied(world: World) -> None:
    async def act(stage: Stage) -> None:
        await stage.nemesis.empty_store()

    await judge(world, "redis emptied", act, projections=True)


async def test_kafka_killed(world: World) -> None:
    async def act(stage: Stage) -> None:
        async with stage.nemesis.held("kafka"):
            await asyncio.sleep(20)

    await judge(world, "kafka killed", act)


async def test_kafka_frozen(world: World) -> None:
    async def act(stage: Stage) -> None:
        async with stage.nemesis.frozen("kafka"):
            await asyncio.sleep(20)

    await judge(world, "kafka frozen", act)


async def test_exposure_killed_while_kafka_is_down(world: World) -> None:
    async def act(stage: Stage) -> None:
        async with stage.nemesis.held("kafka"):
            await asyncio.sleep(4)
            await stage.nemesis.strike("exposure")
            await asyncio.sleep(4)
        await stage.nemesis.healed("exposure")

    await judge(world, "exposure killed while kafka down", act, allowed=NO_LEDGER, projections=True)
