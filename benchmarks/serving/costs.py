"""CPU, bytes and the leaves' own time of a decision, from one stretch of requests one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.serving.accounting import Cost, cost, read
from benchmarks.serving.asking import Asker
from benchmarks.serving.bundles import LARGE
from benchmarks.serving.stages import mean_ms, served
from loopwright.localmesh.control import LocalMesh

DECISIONS, IDLE_S = 300, 6.0
CALLED = ("hydration", "retrieval", "ranking", "policy", "exposure", "recommender")


@dataclass(frozen=True, slots=True)
class Costs:
    """What a decision of the large funnel costs.

    Attributes:
        decision: CPU and bytes.
        mean_ms: Method within its server, and stage at the front door, -> mean milliseconds.
    """

    decision: Cost
    mean_ms: Mapping[str, float]


async def measure_cost(mesh: LocalMesh, asking: Asker) -> Costs:
    """Ask one at a time; what the mesh uses while idle is measured first and taken off."""
    metrics = {service: mesh.layout.metrics(service) for service in CALLED}
    resting = read(mesh)
    await asyncio.sleep(IDLE_S)
    rested, before = read(mesh), served(metrics)
    started = read(mesh)
    for _ in range(DECISIONS):
        await asking.once(LARGE)
    ended = read(mesh)
    return Costs(cost((resting, rested), (started, ended), DECISIONS), mean_ms(before, served(metrics)))
