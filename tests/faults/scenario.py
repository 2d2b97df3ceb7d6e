"""One scenario: load, a fault, healing, draining, and the checker's verdict over history and log."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from loopwright.cli.importing.settle import settled
from loopwright.eventlog import KafkaEventLog
from loopwright.localmesh.replaying import replay_into, replay_stores
from loopwright.modelstore import ModelStore
from loopwright.rpc import Deadline
from tests.faults.checker import Case, Refusal, check
from tests.faults.history import History, now_ms, open_history
from tests.faults.load import Gateway, Load, gateway
from tests.faults.measuring import OVERRUNS, cores, grown, scrape, totals, usage, waiting_records
from tests.faults.nemesis import Nemesis
from tests.faults.table import TABLE, Row
from tests.faults.verdict import Verdict
from tests.faults.world import World

RATE = float(os.environ.get("LOOPWRIGHT_FAULTS_RATE", "8"))
"""Recommend calls a second, with reports and actions. `make faults` sends the promised 20, which fill two
cores; beside the other tests, a slower machine must not turn its slowness into a verdict."""

WHOLE = "LOOPWRIGHT_FAULTS_WHOLE" in os.environ
"""Set by `make faults`; beside the other tests fewer kills and shorter stretches have to do."""

HISTORY = ".history.jsonl"
BASELINE_S, WELL_MS = 20.0, 2_000.0
RECOVERED_WITHIN_S = 30.0
DRAINED_WITHIN_S = 45.0
STRAINED: tuple[Refusal, ...] = (
    ("recommend", "RESOURCE_EXHAUSTED", "OVERLOADED"),
    *(("recommend", "UNAVAILABLE", reason) for reason in ("STAGE_LATE", "BREAKER_OPEN", "ANSWER_PENDING")),
)
"""What a mesh may say, with RetryInfo, while a part that starts again takes half of a small machine: shed load, and a
record that was not durable in time."""
REFUSED_AFTER_HEALING_MS = 5_000.0
"""Refusals are over this long after what was struck is ready again."""


@dataclass(slots=True)
class Stage:
    """What a scenario's act gets."""

    world: World
    gateway: Gateway
    history: History
    nemesis: Nemesis
    load: Load


Act = Callable[[Stage], Awaitable[object]]


async def run_scenario(
    world: World,
    name: str,
    act: Act,
    *,
    allowed: Iterable[Refusal] = (),
    rate: float = RATE,
    projections: bool = False,
) -> Row:
    """Run one scenario and add its row to the table; the caller judges the row's verdict.

    Args:
        world: The shared mesh.
        name: Of the scenario; prefix of its request ids.
        act: The fault, with whatever waiting belongs to it.
        allowed: Refusals that the fault justifies, from its first blow until a while after everything is ready; shed
            load is among them always, since starting a process takes half of a small machine.
        rate: Requests a second.
        projections: Whether the rows are held against the log folded anew.
    """
    scenario = name.replace(" ", "-")
    since = len((await world.log.read()).facts)
    path = world.folder / f"{scenario}{HISTORY}"
    async with open_history(path) as history, gateway(world.addresses) as calls:
        nemesis = Nemesis(world.mesh, history, scenario)
        load = Load(calls, history, scenario, world.users, rate=rate)
        async with loaded(load):
            assert await well(load, 0.0, BASELINE_S) is not None, "the mesh was not well before the fault"
            ends = {name: world.mesh.unasked_ends(name) for name in world.mesh.names}
            before, spent = totals(await scrape(world.mesh), OVERRUNS), usage(world.mesh)
            await act(Stage(world, calls, history, nemesis, load))
            ended_ms = nemesis.ended_ms or now_ms()
            well_ms = await well(load, ended_ms, RECOVERED_WITHIN_S)
            busy, machine_load = cores(spent, usage(world.mesh)), os.getloadavg()[0]
    await drained(world)
    overruns = grown(before, totals(await scrape(world.mesh), OVERRUNS))
    case = Case(
        history.entries, await world.log.read(), f"{scenario}.", allowed=(*allowed, *STRAINED), overruns=overruns,
        since=since, allowed_from_ms=nemesis.first_ms, allowed_until_ms=nemesis.healed_ms + REFUSED_AFTER_HEALING_MS,
    )  # fmt: skip
    verdict = check(case)
    verdict.crashed += [
        f"{name} ended {by} times by itself" for name in ends if (by := world.mesh.unasked_ends(name) - ends[name])
    ]
    if projections:
        verdict.projections += await differing_rows(world)
    recovery_s = None if well_ms is None else max(0.0, well_ms - ended_ms) / 1000
    row = Row(name, verdict, recovery_s, sum(busy.values()), machine_load, _notes(load, busy))
    TABLE.rows.append(row)
    return row


def _notes(load: Load, busy: dict[str, float]) -> str:
    most = sorted(busy.items(), key=lambda pair: -pair[1])
    starved = f"starved {load.starved}; " if load.starved else ""
    return starved + ", ".join(f"{name} {value:.2f}" for name, value in most)


@asynccontextmanager
async def loaded(load: Load) -> AsyncIterator[None]:
    """Send load while the block runs, and wait for its last calls."""
    stop = asyncio.Event()
    running = asyncio.create_task(load.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def well(load: Load, from_ms: float, within_s: float) -> float | None:
    """Return since when answers have been good for two seconds, None when they were not in time."""
    limit = now_ms() + within_s * 1000
    least = round(load.rate * WELL_MS / 1000 * 0.8)
    while now_ms() < limit:
        since = load.pulse.well_since(from_ms, WELL_MS, least)
        if since is not None:
            return since
        await asyncio.sleep(0.1)
    return None


async def drained(world: World) -> None:
    """Return when no record waits in an outbox and everything on the log is folded everywhere."""
    async with asyncio.timeout(DRAINED_WITHIN_S):
        while await waiting_records(world.mesh):
            await asyncio.sleep(0.2)
    async with KafkaEventLog.open(world.addresses["kafka"], producer="cli") as log:
        await settled(log, Deadline.after(DRAINED_WITHIN_S), lambda step, share: None)


async def differing_rows(world: World) -> list[str]:
    """Return what differs between the live rows and the log folded anew."""
    async with KafkaEventLog.open(world.addresses["kafka"], producer="cli") as log:
        async with replay_stores(world.addresses["redis"]) as (live, fresh):
            models = ModelStore(world.mesh.layout.model_store)
            found = await replay_into(log, live, fresh, models=models)
    return list(found.differences)


def assert_kept(verdict: Verdict, row: Row) -> None:
    """Fail with the offenders when a promise was broken or the mesh did not recover."""
    assert not verdict.broken, verdict.text()
    assert row.recovery_s is not None, f"not well within {RECOVERED_WITHIN_S:g} s of the fault's end"
