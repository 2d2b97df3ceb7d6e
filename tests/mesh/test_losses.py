"""Every stage of a mesh is lost in turn: the answer is flagged, recorded, proven, and bars what is barred."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from loopwright.bundle import FallbackOrder
from loopwright.domain.enums import ActionKind, DegradationReason, Scheme, Source, Stage
from loopwright.domain.ids import item_id
from loopwright.eventlog import DECISIONS
from loopwright.exposure.reports import Act
from loopwright.faults import DependencyDown, Internal, Overloaded
from loopwright.localmesh.composition import OneProcess
from loopwright.localmesh.proofs import verify_many
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.types import Request, UserQuery
from loopwright.rpc import Deadline
from tests.mesh.served import served
from tests.mesh.world import activate, dice, message, recorded_whole, request, soon, with_tiny_models

UNAVAILABLE, TIMEOUT = DegradationReason.UNAVAILABLE, DegradationReason.TIMEOUT
FALLBACK, DECIDE = DegradationReason.FALLBACK, Stage.DECIDE
METHODS = {
    Stage.HYDRATE_USER: ("context", "user_context"),
    Stage.RETRIEVE: ("candidates", "retrieve"),
    Stage.HYDRATE_ITEMS: ("columns", "item_columns"),
    Stage.RANK: ("scores", "score"),
    Stage.DECIDE: ("slate", "decide"),
}


class Lost:
    """A stage whose every call fails, or hangs."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        async def call(query: object, deadline: Deadline) -> object:
            if self._error is None:
                await asyncio.sleep(60)
            raise self._error or RuntimeError("it hung for longer than any budget")

        return call


def lose(mesh: OneProcess, *stages: Stage, error: Exception | None) -> None:
    door = mesh.services.recommender.door
    for stage in stages:
        door._pipeline = replace(door._pipeline, **{METHODS[stage][0]: Lost(error)})  # type: ignore[arg-type]


async def prepared(mesh: OneProcess) -> FallbackOrder:
    """Activate tiny models with whole funnels, and wait for the order of that bundle."""
    await activate(mesh, with_tiny_models(mesh, recorded_whole()))
    async with asyncio.timeout(20):
        while True:
            await mesh.services.policy.fallbacks.refresh()
            await mesh.settle()
            feed = mesh.services.recommender.feed
            order, active = feed.fallback("home"), feed.active("home")
            assert active is not None
            if order is not None and order.policy_version == active.version and len(order) == 120:
                return order


def said(answer: Answer) -> list[tuple[Stage, DegradationReason]]:
    return [(d.stage, d.reason) for d in answer.degradations]


async def hide(mesh: OneProcess, answer: Answer) -> str:
    """Have user u1 hide the first item of a slate; returns it."""
    first = answer.items[0]
    await mesh.exposure.feedback.report_acts([Act(first.exposure_token, "hide-1", ActionKind.HIDE, 1.0, None)], soon())
    await mesh.settle()
    return first.external_id


def user_query(mesh: OneProcess, asked: Request) -> UserQuery:
    feed, clock = mesh.services.recommender.feed, mesh.services.processes["recommender"].clock
    active = feed.active("home")
    assert active is not None
    bundle = feed.get(active.version)
    assert bundle is not None
    return Plan(active.version, bundle, asked, clock.now_ms(), 1, 1.0).user_query()


@pytest.mark.parametrize("error", [DependencyDown("gone"), Overloaded("full"), Internal("oops"), None], ids=repr)
@pytest.mark.parametrize("stage", METHODS)
async def test_a_lost_stage_gives_a_flagged_answer_whose_record_proves_itself(
    mesh: OneProcess, stage: Stage, error: Exception | None
) -> None:
    order = await prepared(mesh)
    hidden = await hide(mesh, await mesh.recommend(request(), soon()))
    excluded = order.external_ids[:3]
    lose(mesh, stage, error=error)
    asked = request("u1", 2, exclude_item_ids=excluded)
    answer = await mesh.recommend(asked, Deadline.after(2.0) if error is None else soon())
    loss = (stage, TIMEOUT if error is None else UNAVAILABLE)
    alone = {Stage.RANK: [loss], Stage.RETRIEVE: [loss, (Stage.RETRIEVE, FALLBACK)]}
    want = alone.get(stage, [loss, (DECIDE, FALLBACK)])
    assert said(answer) == want
    shown = [item.external_id for item in answer.items]
    assert len(shown) == 10 and not set(shown) & set(excluded)
    user = await mesh.services.clients.hydration.user_context(user_query(mesh, asked), soon())
    seen = set(user.acted.tolist()) | set(user.blocked_items.tolist())
    assert item_id(hidden) in set(user.blocked_items.tolist())
    if stage is not Stage.HYDRATE_USER:
        assert not {item_id(name) for name in shown} & seen
    if stage is not Stage.RANK:
        assert answer.versions.index_epoch == order.epoch
        assert {source for item in answer.items for source in item.sources} == {Source.FALLBACK}
    if want[-1] == (DECIDE, FALLBACK):
        places = [order.external_ids.index(name) for name in shown]
        assert places == sorted(places)
        assert {(item.p_shown, item.p_position, item.scheme) for item in answer.items} == {(1.0, 1.0, Scheme.NONE)}
        assert all(item.exposure_token for item in answer.items)
    assert len(mesh.broker.records(DECISIONS)) == 2
    proven = await verify_many(mesh.log("cli"), mesh.models, 10, 1)
    assert (proven.holding, proven.broken) == (2, {})
    assert not [link for proof in proven.proofs for link in proof.links if link.skipped]


async def test_all_leaves_but_the_ledger_may_be_away_at_once(mesh: OneProcess) -> None:
    order = await prepared(mesh)
    lose(mesh, *METHODS, error=DependencyDown("gone"))
    answer = await mesh.recommend(request(number=3), soon())
    assert [item.external_id for item in answer.items] == list(order.external_ids[:10])
    again = await mesh.recommend(request(number=3), soon())
    assert again.replayed and again.decision_id == answer.decision_id  # the ledger knows the request without hydration
    assert len(mesh.broker.records(DECISIONS)) == 1


async def test_lists_to_judge_are_stood_in_for_and_are_no_exposure(mesh: OneProcess) -> None:
    await prepared(mesh)
    lose(mesh, Stage.DECIDE, error=DependencyDown("gone"))
    answer = await mesh.recommend(request(number=4, purpose=2), soon())
    assert said(answer)[-1] == (DECIDE, FALLBACK)
    assert not any(item.exposure_token for item in answer.items)


async def test_over_grpc_leaves_that_fail_inside_are_stood_in_for_too(mesh: OneProcess) -> None:
    order = await prepared(mesh)
    async with served(mesh, dice()) as found:
        mesh.services.hydration.hydrator.item_columns = _buggy  # type: ignore[method-assign, assignment]
        answer = await found.recommender.Recommend(message("u2", 9), timeout=20)
    assert [(d.stage, d.reason) for d in answer.degradations] == [
        (Stage.HYDRATE_ITEMS, UNAVAILABLE),
        (DECIDE, FALLBACK),
    ]
    assert answer.degradations[1].subject == order.label
    assert len(answer.items) == 10


async def _buggy(query: object, deadline: Deadline) -> object:
    raise TypeError("a bug of the leaf")
