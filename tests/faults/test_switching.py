"""Model and bundle are switched every two seconds under load; each decision is of one version, in time."""

from __future__ import annotations

import asyncio

import pytest

from loopwright.bundle import policy_version
from loopwright.cli.clients import policy_service
from loopwright.eventlog import KafkaEventLog, wall_now_ms
from loopwright.localmesh.proofs import verify_many
from loopwright.modelstore import ModelStore
from tests.faults.load import SURFACE
from tests.faults.scenario import WHOLE, Stage, assert_kept, run_scenario
from tests.faults.table import TABLE
from tests.faults.world import ACTOR, World

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="package"),
]

SWITCHES, EVERY_S = 30 if WHOLE else 10, 2.0
PROOFS = 50 if WHOLE else 20


async def test_each_decision_is_of_one_version_that_was_active(world: World) -> None:
    active, begun_ms = policy_version(world.steady), 0

    async def act(stage: Stage) -> None:
        nonlocal active, begun_ms
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with policy_service(world.addresses["policy"], ACTOR) as client:
            for turn in range(SWITCHES):
                version = policy_version(world.pair[turn % 2])
                await client.activate(SURFACE, version, active, f"turn {turn}", EVERY_S)
                active = version
                begun_ms = begun_ms or wall_now_ms()
                await asyncio.sleep(max(0.0, started + (turn + 1) * EVERY_S - loop.time()))

    row = await run_scenario(world, "switching", act)
    intervals = (await world.log.read()).policies.intervals(SURFACE)
    await world.activate(world.steady, "the lab goes on")
    async with KafkaEventLog.open(world.addresses["kafka"], producer="cli") as log:
        proven = await verify_many(log, ModelStore(world.mesh.layout.model_store), PROOFS, seed=4, since_ms=begun_ms)
    print(f"\n{row.fault}: {row.notes}")
    TABLE.findings.append(f"switching: {SWITCHES} switches, {proven.holding} of {len(proven.proofs)} proofs hold")
    assert len(intervals) >= SWITCHES
    assert (proven.holding, len(proven.proofs)) == (PROOFS, PROOFS), proven.broken
    assert {policy_version(bundle) for bundle in world.pair} <= set(proven.policies)
    assert_kept(row.verdict, row)
