"""At the end of the run: every history as it lies on the disk, together, against the whole log."""

from __future__ import annotations

import pytest

from tests.faults.checker import Case, check
from tests.faults.history import read_history
from tests.faults.scenario import HISTORY
from tests.faults.world import World

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="package"),
]


async def test_all_scenarios_together_lost_nothing_and_nobody_else_was_served(world: World) -> None:
    entries = [entry for path in sorted(world.folder.glob(f"*{HISTORY}")) for entry in read_history(path)]
    verdict = check(Case(entries, await world.log.read(), allowed=[("*", "UNAVAILABLE", "*")]))
    assert (verdict.lost, verdict.phantom, verdict.doubled) == ([], [], [])
    assert len({decision.request_id for decision in world.log.facts.decisions}) <= len(entries)
