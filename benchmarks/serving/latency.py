"""Latencies of one request at a time: floors, their parts and the product in the same rounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.harness.rounds import Arm, Table, measure
from benchmarks.serving.asking import Asker
from benchmarks.serving.awake import awake_cpus
from benchmarks.serving.bundles import Size
from benchmarks.serving.floor import Floor
from benchmarks.serving.stages import timings
from loopwright.eventlog import DECISIONS, EventLog

MESH, ONE_PROCESS = "Recommend, whole mesh", "Recommend, one process"
FLOOR_1, FLOOR_2 = "floor 1: parts, rows from the store", "floor 2: parts, rows from a matrix"
HOPS = "the mesh's calls, bare and without their work"
WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Latencies:
    """What one phase measured.

    Attributes:
        tables: Size -> its arms.
        parts: Size -> names of the parts among its arms, in the order of a request; empty where none was timed.
        stages: Size -> stage -> milliseconds at the front door of each decision; empty without a mesh.
        asked: Requests of the product, those to warm up included.
        degraded: Why answers among them were degraded.
        awake: Size -> floors, bare calls and mesh while no CPU slept.
    """

    tables: Mapping[Size, Table]
    parts: Mapping[Size, tuple[str, ...]]
    stages: Mapping[Size, Mapping[str, list[float]]] = field(default_factory=dict)
    asked: int = 0
    degraded: Counter[str] = field(default_factory=Counter)
    awake: Mapping[Size, Table] = field(default_factory=dict)


async def measure_meshed(
    bare: Mapping[Size, Floor], hops: Mapping[Size, Arm], asking: Asker, log: EventLog, *, rounds: int, per_round: int
) -> Latencies:
    """Measure floors 1 and 2, every part, the bare hops and the mesh, for every size in the same rounds.

    Then all but the parts once more with CPUs that do not sleep.
    """
    start = await log.ends([DECISIONS])
    parts = {size: floor.parts() for size, floor in bare.items()}
    arms = {size: {HOPS: hops[size], MESH: _asking(asking, size), **parts[size]} for size in bare}
    tables = await _measured(bare, arms, rounds=rounds, per_round=per_round)
    stages = {size: await timings(log, start, size.surface) for size in bare}
    named = {size: tuple(alone) for size, alone in parts.items()}
    asked, degraded = asking.asked, Counter(asking.degraded)
    whole = {size: {HOPS: of_size[HOPS], MESH: of_size[MESH]} for size, of_size in arms.items()}
    with awake_cpus():
        awake = await _measured(bare, whole, rounds=rounds, per_round=per_round)
    return Latencies(tables, named, stages, asked, degraded, awake)


async def measure_composed(
    bare: Mapping[Size, Floor], arms: Mapping[Size, Arm], degraded: Counter[str], *, rounds: int, per_round: int
) -> Latencies:
    """Measure floors 1 and 2 and the composition, for every size in the same rounds."""
    products = {size: {ONE_PROCESS: arm} for size, arm in arms.items()}
    tables = await _measured(bare, products, rounds=rounds, per_round=per_round)
    return Latencies(tables, {}, {}, len(arms) * (rounds * per_round + WARM_UP), degraded)


async def _measured(
    bare: Mapping[Size, Floor], others: Mapping[Size, Mapping[str, Arm]], *, rounds: int, per_round: int
) -> dict[Size, Table]:
    arms = {
        size: {FLOOR_1: _floor(floor, True), FLOOR_2: _floor(floor, False), **others[size]}
        for size, floor in bare.items()
    }
    every = {f"{size.surface} {name}": arm for size, of_size in arms.items() for name, arm in of_size.items()}
    found = await measure(every, rounds=rounds, per_round=per_round, warm_up=WARM_UP)
    return {
        size: Table({name: found.rounds[f"{size.surface} {name}"] for name in of_size})
        for size, of_size in arms.items()
    }


def _floor(floor: Floor, from_store: bool) -> Arm:
    return lambda: floor.whole(from_store=from_store)


def _asking(asking: Asker, size: Size) -> Arm:
    return lambda: asking.once(size)
