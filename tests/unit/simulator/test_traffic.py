from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from loopwright.domain.enums import ActionKind, DegradationReason, Scheme, Source, Stage
from loopwright.faults import Fault, InvalidRequest, LogUnavailable
from loopwright.pipeline.answer import Answer, RecommendedItem
from loopwright.pipeline.types import Degradation, Versions
from loopwright.simulator.clients import Act
from loopwright.simulator.traffic import ATTEMPTS, TrafficRunner, acts_of
from loopwright.simulator.world import Reaction, Visit, World

TASTES = {f"u{n}": {"i0": 5.0, "i1": 3.0} for n in range(5)}
VERSIONS = Versions("p" * 64, "", "", "")


@dataclass
class FakeMesh:
    """Answers a fixed slate; `failures` are raised first, by call name."""

    failures: dict[str, list[Fault]] = field(default_factory=dict)
    degradations: tuple[Degradation, ...] = ()
    served: list[Visit] = field(default_factory=list)
    views: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    def _fail(self, call: str) -> None:
        if self.failures.get(call):
            raise self.failures[call].pop(0)

    async def serve(self, visit: Visit, k: int) -> Answer:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        self.served.append(visit)
        self._fail("serve")
        items = tuple(
            RecommendedItem(f"i{n}", n + 1, (Source.TRENDING,), 1.0, 1.0, Scheme.RANKED, f"{visit.number}:{n}")
            for n in range(k)
        )
        return Answer(bytes(16), VERSIONS, "", items, self.degradations, 0)

    async def viewed(self, client_event_id: str, tokens: Sequence[str]) -> None:
        self._fail("viewed")
        self.views.append((client_event_id, tuple(tokens)))

    async def acted(self, acts: Sequence[Act]) -> None:
        self._fail("acted")
        self.acts += acts


async def no_sleep(seconds: float) -> None:
    await asyncio.sleep(0)


def runner(mesh: FakeMesh, *, in_flight: int = 3) -> TrafficRunner:
    ticks = iter(range(10**6))
    return TrafficRunner(
        World(TASTES, 1), mesh, k=4, in_flight=in_flight, retry_wait_s=0.1,
        clock=lambda: float(next(ticks)), sleep=no_sleep,
    )  # fmt: skip


async def test_the_viewed_prefix_is_reported_exactly_and_clicks_and_likes_follow_the_tastes() -> None:
    mesh, world = FakeMesh(), World(TASTES, 1)
    traffic = await runner(mesh).run(range(40))
    reactions = {n: world.reaction(world.visit(n), ["i0", "i1", "i2", "i3"]) for n in range(40)}
    assert sorted(mesh.views) == sorted(
        (f"view.{n}", tuple(f"{n}:{p}" for p in range(r.viewed))) for n, r in reactions.items()
    )
    assert Counter(act.kind for act in mesh.acts) == {
        ActionKind.CLICK: sum(len(r.clicked) for r in reactions.values()),
        ActionKind.LIKE: sum(len(r.liked) for r in reactions.values()),
    }
    assert (traffic.visits, traffic.answered, traffic.undegraded, traffic.shown) == (40, 40, 40, 160)
    assert (traffic.viewed, traffic.clicks) == (
        sum(r.viewed for r in reactions.values()),
        len(mesh.acts) - traffic.likes,
    )


async def test_no_more_visits_are_under_way_than_allowed_and_each_is_sent_once() -> None:
    mesh = FakeMesh()
    await runner(mesh, in_flight=3).run(range(10, 30))
    assert mesh.most_under_way == 3
    assert sorted(visit.number for visit in mesh.served) == list(range(10, 30))


async def test_a_passing_failure_is_repeated_with_the_same_ids_and_counts_once() -> None:
    mesh = FakeMesh(failures={"serve": [LogUnavailable()], "viewed": [LogUnavailable(), LogUnavailable()]})
    traffic = await runner(mesh, in_flight=1).run([0])
    assert [visit.request_id for visit in mesh.served] == ["sim.1.0", "sim.1.0"]
    assert [client_event_id for client_event_id, _ in mesh.views] == ["view.0"]
    assert (traffic.answered, traffic.repeated_calls, dict(traffic.refused)) == (1, 3, {})


async def test_a_refusal_for_good_is_counted_by_reason_and_the_run_goes_on() -> None:
    mesh = FakeMesh(failures={"serve": [InvalidRequest()]})
    traffic = await runner(mesh, in_flight=1).run(range(3))
    assert (traffic.visits, traffic.answered, dict(traffic.refused)) == (3, 2, {"INVALID_REQUEST": 1})
    assert len(mesh.served) == 3


async def test_a_failure_that_does_not_pass_is_given_up_after_the_last_attempt() -> None:
    mesh = FakeMesh(failures={"serve": [LogUnavailable() for _ in range(ATTEMPTS)]})
    traffic = await runner(mesh, in_flight=1).run([0])
    assert len(mesh.served) == ATTEMPTS
    assert dict(traffic.refused) == {"LOG_UNAVAILABLE": 1}


async def test_degraded_answers_are_not_counted_as_whole() -> None:
    mesh = FakeMesh(degradations=(Degradation(Stage.RETRIEVE, DegradationReason.SOURCE_FAILED, "fresh"),))
    traffic = await runner(mesh).run(range(4))
    assert (traffic.answered, traffic.undegraded) == (4, 0)


def test_every_action_of_a_visit_has_an_id_of_its_own() -> None:
    acts = acts_of(Visit(3, "u1", "r", "s"), Reaction(4, (0, 2), (2,)), ["a", "b", "c", "d"])
    assert [(act.token, act.kind) for act in acts] == [
        ("a", ActionKind.CLICK),
        ("c", ActionKind.CLICK),
        ("c", ActionKind.LIKE),
    ]
    assert len({act.client_event_id for act in acts}) == 3
