"""Three times the measured capacity for half a minute; refusals come in time, useful work goes on."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from tests.faults.checker import Refusal
from tests.faults.history import Entry, Kind, Operation, now_ms
from tests.faults.load import Load, user_names
from tests.faults.measuring import resident_mb
from tests.faults.scenario import RATE, WHOLE, Stage, assert_kept, loaded, run_scenario
from tests.faults.table import TABLE
from tests.faults.world import USERS, World

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="package"),
]

IN_FLIGHT, CAPACITY_S = 12, 10.0
TIMES, OVERLOAD_S, LEAST_SHARE = 3.0, 30.0 if WHOLE else 20.0, 0.7
NORMAL_WITHIN_S = 10.0
SETTLING_S = 10.0
FLAT_MB = 12.0
"""Most that a process may grow from the first third of the overload to its end; a leak of 1 KB a call would be more."""

SHED: tuple[Refusal, ...] = (("recommend", "RESOURCE_EXHAUSTED", "*"), ("recommend", "UNAVAILABLE", "*"))


class ClosedLoop(Load):
    """So many calls in flight at all times: the next begins when one ends."""

    async def run(self, stop: asyncio.Event) -> None:
        """Call until told to stop."""
        ticks = iter(range(1_000_000))

        async def work() -> None:
            while not stop.is_set():
                await self._visit(self._users.popleft(), next(ticks))

        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(work())


def goodput(entries: list[Entry], from_ms: float, until_ms: float) -> float:
    """Return OK slates a second between two times."""
    good = [
        e
        for e in entries
        if e.kind is Kind.OK and e.operation == Operation.RECOMMEND and from_ms <= e.at_ms <= until_ms
    ]
    return len(good) / (until_ms - from_ms) * 1000


async def test_overload_is_shed_in_time_and_costs_little_goodput(world: World) -> None:
    measured: dict[str, float] = {}
    grown: dict[str, float] = {}
    crowd = deque(name.replace("u", "x") for name in user_names(2 * USERS))

    async def act(stage: Stage) -> None:
        entries, scenario = stage.history.entries, "overload"
        blow = stage.nemesis.begin("overload", "recommender")
        begun = now_ms()
        async with loaded(ClosedLoop(stage.gateway, stage.history, f"{scenario}.c", crowd, rate=RATE, feedback=False)):
            await asyncio.sleep(CAPACITY_S)
        measured["peak"] = goodput(entries, begun + 1_000, now_ms())
        rate = max(RATE, TIMES * measured["peak"] - stage.load.rate)
        begun = now_ms()
        async with loaded(Load(stage.gateway, stage.history, f"{scenario}.o", crowd, rate=rate, feedback=False)):
            await asyncio.sleep(SETTLING_S)
            before = resident_mb(world.mesh)
            await asyncio.sleep(OVERLOAD_S - SETTLING_S)
            after = resident_mb(world.mesh)
            until = now_ms()
        stage.nemesis.end("overload", "recommender", blow)
        stage.nemesis.healed_ms = now_ms()
        measured["goodput"] = goodput(entries, begun, until)
        grown.update({name: after[name] - before[name] for name in after})

    row = await run_scenario(world, "overload", act, allowed=SHED)
    finding = (
        f"overload: peak {measured['peak']:.0f}/s, at {TIMES:g} times that goodput {measured['goodput']:.0f}/s, "
        f"most memory grown {max(grown.values()):.1f} MB ({max(grown, key=lambda name: grown[name])})"
    )
    print(f"\n{finding}\n{row.notes}")
    TABLE.findings.append(finding)
    assert measured["goodput"] >= LEAST_SHARE * measured["peak"]
    assert {name: by for name, by in grown.items() if by > FLAT_MB} == {}
    assert_kept(row.verdict, row)
    assert row.recovery_s is not None and row.recovery_s <= NORMAL_WITHIN_S
