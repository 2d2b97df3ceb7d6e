"""The runner holds stages to their budgets and to the lengths they owe, and never hides what fell short."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from loopwright.bundle import default_bundle, policy_version, with_models
from loopwright.domain.enums import DegradationReason, Exploration, Purpose, Stage
from loopwright.faults import BundleNotLoaded, DependencyDown, FeatureStoreDown, Internal, LogUnavailable
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.assemble import Identity, assemble
from loopwright.pipeline.fakes import FakeLedger, FakeWorld
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.runner import Pipeline, StageLate
from loopwright.pipeline.types import Request
from loopwright.policy.slate import Decider
from loopwright.rpc import Deadline

BUNDLE = with_models(default_bundle(), two_tower="a" * 64, pre_ranker="b" * 64, ranker="c" * 64)
VERSION = policy_version(BUNDLE)


def request(**changes: object) -> Request:
    plain = Request(
        request_id="r1",
        subject=b"s" * 16,
        raw_external_id="196",
        raw_query_text="",
        surface="home",
        session_id="",
        page_start=0,
        k=10,
        anchors=np.zeros(0, np.uint64),
        excluded=np.zeros(0, np.uint64),
        locale="",
        client_version="",
        purpose=Purpose.SERVE,
        exploration=Exploration.BUNDLE,
        decide_at_ms=None,
        record_funnel=False,
        request_hash=b"h" * 16,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def plan(**changes: object) -> Plan:
    return Plan(VERSION, BUNDLE, request(**changes), 1_000_000, 42, 10.0)


def pipeline(world: FakeWorld, ledger: FakeLedger | None = None, effects: tuple[object, ...] = ()) -> Pipeline:
    decider = Decider({VERSION: BUNDLE}.get)
    return Pipeline(world, world, world, world, decider, ledger or FakeLedger(), effects)  # type: ignore[arg-type]


def soon() -> Deadline:
    return Deadline.after(5)


async def test_a_whole_run_has_no_degradation_and_times_every_stage() -> None:
    line, timings = pipeline(FakeWorld()), {}
    user = await line.user(plan(), soon(), timings)
    run = await line.execute(plan(), user, soon(), timings)
    assert run.degradations == []
    assert len(run.slate.indices) == 10
    assert set(timings) == {Stage.HYDRATE_USER, Stage.RETRIEVE, Stage.HYDRATE_ITEMS, Stage.RANK, Stage.DECIDE}


async def test_a_failed_ranker_is_replaced_by_retrieval_order_and_flagged() -> None:
    world = FakeWorld(fails={"score": DependencyDown("gone")})
    line, timings = pipeline(world), {}
    run = await line.execute(plan(), await line.user(plan(), soon(), timings), soon(), timings)
    assert [(d.stage, d.reason) for d in run.degradations] == [(Stage.RANK, DegradationReason.UNAVAILABLE)]
    assert run.scores.head_names == ("retrieval",)
    assert np.array_equal(run.scores.heads[:, 0], run.found.fused_scores[: len(run.scores.best)])


async def test_a_late_ranker_is_flagged_as_late() -> None:
    class Slow(FakeWorld):
        async def score(self, query, deadline):  # type: ignore[no-untyped-def]
            await asyncio.sleep(60)

    line, timings = pipeline(Slow()), {}
    quick = replace(plan(), budget_scale=0.1)
    run = await line.execute(quick, await line.user(plan(), soon(), timings), soon(), timings)
    assert [(d.stage, d.reason) for d in run.degradations] == [(Stage.RANK, DegradationReason.TIMEOUT)]


async def test_a_missing_bundle_is_never_papered_over() -> None:
    world = FakeWorld(fails={"score": BundleNotLoaded("unknown")})
    line, timings = pipeline(world), {}
    user = await line.user(plan(), soon(), timings)
    with pytest.raises(BundleNotLoaded):
        await line.execute(plan(), user, soon(), timings)


async def test_a_stage_that_nothing_replaces_fails_the_run() -> None:
    world = FakeWorld(fails={"item_columns": FeatureStoreDown("gone")})
    line, timings = pipeline(world), {}
    user = await line.user(plan(), soon(), timings)
    with pytest.raises(FeatureStoreDown):
        await line.execute(plan(), user, soon(), timings)


async def test_a_stage_over_its_budget_is_late_while_the_caller_has_time() -> None:
    class Slow(FakeWorld):
        async def retrieve(self, query, deadline):  # type: ignore[no-untyped-def]
            await asyncio.sleep(60)

    line, timings = pipeline(Slow()), {}
    quick = replace(plan(), budget_scale=0.1)
    user = await line.user(plan(), soon(), timings)
    with pytest.raises(StageLate):
        await line.execute(quick, user, soon(), timings)


async def test_a_stage_that_answers_for_other_candidates_is_refused() -> None:
    class Short(FakeWorld):
        async def score(self, query, deadline):  # type: ignore[no-untyped-def]
            scores = await FakeWorld.score(self, query, deadline)
            return replace(scores, pre_scores=scores.pre_scores[:-1])

    line, timings = pipeline(Short()), {}
    user = await line.user(plan(), soon(), timings)
    with pytest.raises(Internal, match="59 rows for 60"):
        await line.execute(plan(), user, soon(), timings)


async def test_too_few_eligible_items_give_a_flagged_short_slate() -> None:
    line, timings = pipeline(FakeWorld(size=4)), {}
    run = await line.execute(plan(), await line.user(plan(), soon(), timings), soon(), timings)
    assert len(run.slate.indices) == 4
    assert [d.reason for d in run.degradations] == [DegradationReason.SHORT_SLATE]


async def test_no_acknowledgement_no_slate_and_effects_never_matter() -> None:
    class Broken:
        async def apply(self, plan: Plan, answer: Answer, deadline: Deadline) -> None:
            raise FeatureStoreDown("gone")

    ledger = FakeLedger()
    line, timings = pipeline(FakeWorld(), ledger, (Broken(),)), {}
    run = await line.execute(plan(), await line.user(plan(), soon(), timings), soon(), timings)
    record, answer = assemble(run, Identity(b"d" * 16, 5))
    assert await line.settle(run, record, answer, soon()) == answer
    assert ledger.records == [record]
    ledger.fault = LogUnavailable("gone")
    with pytest.raises(LogUnavailable):
        await line.settle(run, record, answer, soon())
