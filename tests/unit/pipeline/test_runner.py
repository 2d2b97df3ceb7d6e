"""The runner holds stages to their budgets and to the lengths they owe, and never hides what fell short."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from loopwright.bundle import FallbackOrder, default_bundle, policy_version, with_models
from loopwright.domain.enums import DegradationReason, Exploration, Purpose, Scheme, Source, Stage
from loopwright.domain.ids import item_id
from loopwright.faults import (
    BreakerOpen,
    BundleNotLoaded,
    DeadlineExceeded,
    DependencyDown,
    Fault,
    FeatureStoreDown,
    InvalidRequest,
    Kind,
    LogUnavailable,
    Overloaded,
    RemoteFault,
)
from loopwright.pipeline.assemble import Identity, assemble
from loopwright.pipeline.fakes import FakeLedger, FakeWorld
from loopwright.pipeline.losses import BrokenAnswer, StageLate
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.runner import Pipeline
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


def pipeline(world: FakeWorld, ledger: FakeLedger | None = None) -> Pipeline:
    decider = Decider({VERSION: BUNDLE}.get)
    return Pipeline(world, world, world, world, decider, ledger or FakeLedger())  # type: ignore[arg-type]


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


async def test_without_an_order_a_lost_stage_fails_the_run_and_says_when_to_come_back() -> None:
    gone = RemoteFault("gone", kind=Kind.UNAVAILABLE, reason="UNAVAILABLE")
    world = FakeWorld(fails={"item_columns": gone})
    line, timings = pipeline(world), {}
    user = await line.user(plan(), soon(), timings)
    with pytest.raises(RemoteFault) as caught:
        await line.execute(plan(), user, soon(), timings)
    assert caught.value.retryable and caught.value.retry_after_s
    world.fails = {"user_context": FeatureStoreDown("gone")}
    with pytest.raises(FeatureStoreDown):
        await line.user(plan(), soon(), timings)


async def test_a_stage_over_its_budget_is_late_while_the_caller_has_time() -> None:
    class Slow(FakeWorld):
        async def retrieve(self, query, deadline):  # type: ignore[no-untyped-def]
            await asyncio.sleep(60)

    line, timings = pipeline(Slow()), {}
    quick = replace(plan(), budget_scale=0.1)
    user = await line.user(plan(), soon(), timings)
    with pytest.raises(StageLate):
        await line.execute(quick, user, soon(), timings)


async def test_a_stage_that_answers_for_other_candidates_is_not_believed() -> None:
    class Short(FakeWorld):
        async def score(self, query, deadline):  # type: ignore[no-untyped-def]
            scores = await FakeWorld.score(self, query, deadline)
            return replace(scores, pre_scores=scores.pre_scores[:-1])

        async def item_columns(self, query, deadline):  # type: ignore[no-untyped-def]
            items = await FakeWorld.item_columns(self, query, deadline)
            return replace(items, columns=items.columns[:-1])

    timings: dict[Stage, int] = {}
    world = FakeWorld()
    line = replace(pipeline(world), scores=Short())  # type: ignore[arg-type]
    run = await line.execute(plan(), await line.user(plan(), soon(), timings), soon(), timings)
    assert [(d.stage, d.reason) for d in run.degradations] == [(Stage.RANK, DegradationReason.UNAVAILABLE)]
    assert run.scores.head_names == ("retrieval",)
    line = pipeline(Short())
    user = await line.user(plan(), soon(), timings)
    with pytest.raises(BrokenAnswer, match="59 rows for 60"):
        await line.execute(plan(), user, soon(), timings)


ORDER = FallbackOrder.of(
    "home",
    VERSION,
    np.array([item_id(f"i{n}") for n in range(40)], np.uint64),
    np.arange(40, dtype=np.uint64) % np.uint64(6),
    np.arange(40, dtype=np.uint64) % np.uint64(4),
    [f"i{n}" for n in range(40)],
)
GONE = RemoteFault("gone", kind=Kind.UNAVAILABLE, reason="UNAVAILABLE", answered=False)
WAYS: dict[str, tuple[Fault, DegradationReason]] = {
    "away": (GONE, DegradationReason.UNAVAILABLE),
    "breaker open": (BreakerOpen("open"), DegradationReason.UNAVAILABLE),
    "overloaded": (Overloaded("full"), DegradationReason.UNAVAILABLE),
    "out of its own time": (DeadlineExceeded("late"), DegradationReason.TIMEOUT),
    "broken inside": (
        RemoteFault("oops", kind=Kind.INTERNAL, reason="INTERNAL"),
        DegradationReason.UNAVAILABLE,
    ),
    "cut off": (
        RemoteFault("cancelled", kind=Kind.ABORTED, reason="CANCELLED", answered=False),
        DegradationReason.UNAVAILABLE,
    ),
    "broken answer": (BrokenAnswer("nonsense"), DegradationReason.UNAVAILABLE),
    "frozen": (GONE, DegradationReason.TIMEOUT),
}
STAGES = {
    "user_context": Stage.HYDRATE_USER,
    "retrieve": Stage.RETRIEVE,
    "item_columns": Stage.HYDRATE_ITEMS,
    "score": Stage.RANK,
    "decide": Stage.DECIDE,
}


class Failing:
    """A stage of which one method fails or hangs; the others are the world's, or policy's."""

    def __init__(self, world: FakeWorld, method: str, fault: Fault | None) -> None:
        self._world, self._method, self._fault = world, method, fault
        self._decider = Decider({VERSION: BUNDLE}.get)

    def __getattr__(self, name: str) -> object:
        if name == self._method:
            return self._fail
        return getattr(self._decider if name == "decide" else self._world, name)

    async def _fail(self, query: object, deadline: Deadline) -> object:
        if self._fault is None:
            await asyncio.sleep(60)
        assert self._fault is not None
        raise self._fault


def failing(world: FakeWorld, method: str, way: str) -> Pipeline:
    stage = Failing(world, method, None if way == "frozen" else WAYS[way][0])
    return Pipeline(stage, stage, stage, stage, stage, FakeLedger())  # type: ignore[arg-type]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", STAGES)
async def test_every_loss_of_every_stage_is_answered_and_flagged(method: str, way: str) -> None:
    line, asked = failing(FakeWorld(seen=(item_id("i2"),)), method, way), replace(plan(), fallback=ORDER)
    asked = replace(asked, budget_scale=1.0 if way == "frozen" else 10.0)
    timings: dict[Stage, int] = {}
    user = await line.user(asked, soon(), timings)
    run = await line.execute(asked, user, soon(), timings)
    stage, said = STAGES[method], [(d.stage, d.reason, d.subject) for d in run.degradations]
    loss, instead = (stage, WAYS[way][1], ""), DegradationReason.FALLBACK
    if stage is Stage.RANK:
        assert said == [loss]
    elif stage is Stage.RETRIEVE:
        assert said == [loss, (Stage.RETRIEVE, instead, ORDER.label)]
    else:
        assert said == [loss, (Stage.DECIDE, instead, ORDER.label)]
        assert run.slate.schemes.tolist() == [Scheme.NONE] * 10
        assert run.slate.p_shown.tolist() == run.slate.p_position.tolist() == [1.0] * 10
    assert len(run.slate.indices) == 10
    shown = run.found.item_ids[run.scores.best[run.slate.indices]].tolist()
    assert item_id("i2") not in shown or stage is Stage.HYDRATE_USER
    record, answer = assemble(run, Identity(b"d" * 16, 5))
    assert len(answer.items) == len(record.slate) == 10
    if stage not in (Stage.RANK,):
        assert record.versions.index_epoch == ORDER.epoch
        assert [source for item in answer.items for source in item.sources] == [Source.FALLBACK] * 10
    assert await line.settle(run, record, answer, soon()) == answer


async def test_a_retrieval_without_any_source_is_lost() -> None:
    class Sourceless(FakeWorld):
        async def retrieve(self, query, deadline):  # type: ignore[no-untyped-def]
            found = await FakeWorld.retrieve(self, query, deadline)
            return replace(found, reports=tuple(replace(r, failed=True, reason="TIMEOUT") for r in found.reports))

    line, asked, timings = pipeline(Sourceless()), replace(plan(), fallback=ORDER), {}
    run = await line.execute(asked, await line.user(asked, soon(), timings), soon(), timings)
    *failed, stood = [(d.stage, d.reason) for d in run.degradations]
    assert set(failed) == {(Stage.RETRIEVE, DegradationReason.SOURCE_FAILED)} and len(failed) == 5
    assert stood == (Stage.RETRIEVE, DegradationReason.FALLBACK)
    assert [report.source for report in run.found.reports] == [Source.FALLBACK]


async def test_two_losses_are_both_on_record() -> None:
    world = FakeWorld(fails={"retrieve": GONE, "item_columns": GONE})
    line, asked, timings = pipeline(world), replace(plan(), fallback=ORDER), {}
    run = await line.execute(asked, await line.user(asked, soon(), timings), soon(), timings)
    assert [(d.stage, d.reason) for d in run.degradations] == [
        (Stage.RETRIEVE, DegradationReason.UNAVAILABLE),
        (Stage.RETRIEVE, DegradationReason.FALLBACK),
        (Stage.HYDRATE_ITEMS, DegradationReason.UNAVAILABLE),
        (Stage.DECIDE, DegradationReason.FALLBACK),
    ]


@pytest.mark.parametrize("method", ["user_context", "retrieve", "item_columns"])
@pytest.mark.parametrize(
    "fault",
    [BundleNotLoaded("unknown"), InvalidRequest("refused"), TypeError("a bug of ours")],
    ids=lambda fault: type(fault).__name__,
)
async def test_what_is_no_loss_goes_on_as_it_is(method: str, fault: Exception) -> None:
    world, asked, timings = FakeWorld(fails={method: fault}), replace(plan(), fallback=ORDER), {}  # type: ignore[dict-item]
    line = pipeline(world)
    with pytest.raises(type(fault)):
        await line.execute(asked, await line.user(asked, soon(), timings), soon(), timings)


async def test_time_for_the_record_is_left_when_every_stage_hangs() -> None:
    class Frozen(FakeWorld):
        async def retrieve(self, query, deadline):  # type: ignore[no-untyped-def]
            await asyncio.sleep(60)

        item_columns = score = retrieve

    asked, timings = replace(plan(), fallback=ORDER), {}
    line, decided = pipeline(Frozen()), Deadline.after(0.2)
    run = await line.execute(asked, await line.user(asked, soon(), timings), decided, timings)
    assert [d.reason for d in run.degradations].count(DegradationReason.FALLBACK) == 2
    assert set(timings) == {Stage.HYDRATE_USER, Stage.RETRIEVE, Stage.HYDRATE_ITEMS}


@pytest.mark.parametrize("way", ["away", "cut off", "frozen"])
async def test_a_lost_ledger_is_a_refusal_that_says_when_to_come_back(way: str) -> None:
    class Gone(FakeLedger):
        async def record(self, record, answer, deadline):  # type: ignore[no-untyped-def]
            if way == "frozen":
                await asyncio.sleep(60)
            raise WAYS[way][0]

    timings: dict[Stage, int] = {}
    line = pipeline(FakeWorld(), Gone())
    asked = replace(plan(), budget_scale=1.0, fallback=ORDER)
    run = await line.execute(asked, await line.user(plan(), soon(), timings), soon(), timings)
    record, answer = assemble(run, Identity(b"d" * 16, 5))
    with pytest.raises(Fault) as caught:
        await line.settle(run, record, answer, soon())
    assert caught.value.kind is Kind.UNAVAILABLE and caught.value.retryable and caught.value.retry_after_s


async def test_too_few_eligible_items_give_a_flagged_short_slate() -> None:
    line, timings = pipeline(FakeWorld(size=4)), {}
    run = await line.execute(plan(), await line.user(plan(), soon(), timings), soon(), timings)
    assert len(run.slate.indices) == 4
    assert [d.reason for d in run.degradations] == [DegradationReason.SHORT_SLATE]


async def test_no_acknowledgement_no_slate() -> None:
    ledger = FakeLedger()
    line, timings = pipeline(FakeWorld(), ledger), {}
    run = await line.execute(plan(), await line.user(plan(), soon(), timings), soon(), timings)
    record, answer = assemble(run, Identity(b"d" * 16, 5))
    assert await line.settle(run, record, answer, soon()) == answer
    assert ledger.records == [record]
    ledger.fault = LogUnavailable("gone")
    with pytest.raises(LogUnavailable):
        await line.settle(run, record, answer, soon())
