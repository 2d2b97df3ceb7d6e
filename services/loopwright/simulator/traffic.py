"""Runs visits through the mesh, several in flight, and counts what came of them.

In: a world, a mesh, a range of visits. Out: `Traffic`. A call that failed in passing is repeated with the same ids, so
that whatever arrived twice counts once.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from loopwright.domain.enums import ActionKind
from loopwright.faults import Fault, Kind
from loopwright.pipeline.answer import Answer
from loopwright.simulator.clients import Act, Mesh
from loopwright.simulator.world import Reaction, Visit, World

T = TypeVar("T")

ATTEMPTS = 5
_PASSING = frozenset({Kind.UNAVAILABLE, Kind.DEADLINE, Kind.RESOURCE_EXHAUSTED, Kind.ABORTED})


@dataclass(slots=True)
class Traffic:
    """What came of visits; `latencies_ms` are those of answered requests as the client saw them, by visit number."""

    visits: int = 0
    answered: int = 0
    undegraded: int = 0
    shown: int = 0
    viewed: int = 0
    clicks: int = 0
    likes: int = 0
    repeated_calls: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    policies: Counter[str] = field(default_factory=Counter)
    latencies_ms: dict[int, float] = field(default_factory=dict)
    clicked_decisions: dict[int, str] = field(default_factory=dict)
    """Visit number -> decision whose slate was clicked."""


class TrafficRunner:
    """Sends one range of visits."""

    def __init__(
        self,
        world: World,
        mesh: Mesh,
        *,
        k: int,
        in_flight: int,
        retry_wait_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take the two sides; `k` is the slate length asked for, `clock` counts seconds."""
        self._world, self._mesh = world, mesh
        self._k, self._in_flight, self._retry_wait_s = k, in_flight, retry_wait_s
        self._clock, self._sleep = clock, sleep
        self._traffic = Traffic()

    async def run(self, numbers: Sequence[int], told: Callable[[int], object] = lambda done: None) -> Traffic:
        """Send these visits, in order, and return what came of them; `told` gets the number done so far.

        A visit that the mesh refused is counted by reason and does not end the run.
        """
        waiting = iter(numbers)

        async def work() -> None:
            for number in waiting:
                await self._visit(self._world.visit(number))
                told(self._traffic.visits)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._in_flight, len(numbers))):
                group.create_task(work())
        return self._traffic

    async def _visit(self, visit: Visit) -> None:
        traffic = self._traffic
        try:
            started = self._clock()
            answer = await self._repeated(lambda: self._mesh.serve(visit, self._k))
            traffic.latencies_ms[visit.number] = (self._clock() - started) * 1000
            traffic.answered += 1
            traffic.undegraded += not answer.degradations
            traffic.policies[answer.versions.policy_version] += 1
            await self._react(visit, answer)
        except Fault as fault:
            traffic.refused[fault.reason] += 1
        traffic.visits += 1

    async def _react(self, visit: Visit, answer: Answer) -> None:
        traffic = self._traffic
        reaction = self._world.reaction(visit, [item.external_id for item in answer.items])
        traffic.shown += len(answer.items)
        if not reaction.viewed:
            return
        tokens = [item.exposure_token for item in answer.items]
        await self._repeated(lambda: self._mesh.viewed(f"view.{visit.number}", tokens[: reaction.viewed]))
        traffic.viewed += reaction.viewed
        acts = acts_of(visit, reaction, tokens)
        if not acts:
            return
        await self._repeated(lambda: self._mesh.acted(acts))
        traffic.clicks += len(reaction.clicked)
        traffic.likes += len(reaction.liked)
        traffic.clicked_decisions[visit.number] = answer.decision_id.hex()

    async def _repeated(self, call: Callable[[], Awaitable[T]]) -> T:
        wait_s = self._retry_wait_s
        for _ in range(ATTEMPTS - 1):
            try:
                return await call()
            except Fault as fault:
                if not (fault.retryable or fault.kind in _PASSING):
                    raise
                self._traffic.repeated_calls += 1
                await self._sleep(max(wait_s, fault.retry_after_s or 0.0))
                wait_s *= 2
        return await call()


def acts_of(visit: Visit, reaction: Reaction, tokens: Sequence[str]) -> list[Act]:
    """Return the clicks, then the likes, of a reaction."""
    kinds = ((ActionKind.CLICK, reaction.clicked), (ActionKind.LIKE, reaction.liked))
    return [
        Act(tokens[place], f"act.{visit.number}.{place}.{kind.name.lower()}", kind)
        for kind, places in kinds
        for place in places
    ]
