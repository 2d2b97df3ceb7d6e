"""Every service is restarted by SIGTERM under load, one process after the other; no call fails."""

from __future__ import annotations

import pytest

from loopwright.localmesh.topology import SERVERS, service_name
from tests.faults.scenario import RATE, WHOLE, Stage, assert_kept, run_scenario
from tests.faults.world import World

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="package"),
]


GENTLE_RATE = 8.0
"""No call may be shed here, so the load leaves room for the one process that is always starting."""

CHOSEN = {"policy", "exposure", "recommender"}
"""Beside the other tests: a leaf without a second replica, and what no answer can do without."""


async def test_a_rolling_restart_fails_no_call(world: World) -> None:
    services = [name for name in world.mesh.names if name not in SERVERS and (WHOLE or service_name(name) in CHOSEN)]

    async def act(stage: Stage) -> None:
        for name in services:
            await stage.nemesis.restart(name)

    row = await run_scenario(world, "rolling restart", act, rate=min(RATE, GENTLE_RATE))
    print(f"\n{row.fault}: {len(services)} processes; {row.notes}")
    assert not row.verdict.refusals
    assert_kept(row.verdict, row)
