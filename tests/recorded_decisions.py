"""Decisions over synthetic candidates, made by the real plan, rankers, policy and assembly: for tests of proofs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loopwright.bundle import (
    FallbackOrder,
    PolicyBundle,
    canonical_json,
    default_bundle,
    policy_version,
    with_models,
    with_values,
)
from loopwright.domain.enums import DegradationReason, Exploration, Purpose, Stage
from loopwright.domain.guards import guard_bits
from loopwright.domain.ids import make_decision_id
from loopwright.eventlog import DECISIONS, FALLBACKS, FUNNELS, POLICIES, Event, MemoryBroker, MemoryEventLog
from loopwright.exposure.convert import decision_from_record, funnel_events, slate_event
from loopwright.featurespec.groups import width
from loopwright.featurespec.signals import SIGNALS
from loopwright.lifecycle import FixedClock
from loopwright.modelstore import Kind, ModelStore
from loopwright.modelstore.models import open_pre_ranker, open_ranker
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.assemble import Identity, assemble
from loopwright.pipeline.convert.funnel import pack_funnel
from loopwright.pipeline.fallback import fallback_run
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.run import PipelineRun
from loopwright.pipeline.types import (
    CandidateSet,
    CrossContext,
    Degradation,
    History,
    ItemColumns,
    Request,
    SourceReport,
    UserContext,
)
from loopwright.policy.convert import activated_event, fallback_event, published_event
from loopwright.policy.slate import decide
from loopwright.ranking.ranker import scores_of
from loopwright.rpc import Deadline
from tests.tiny_models import K, put_scorer

NOW_MS = 1_800_000_000_000
NOTHING = np.zeros(0, np.uint64)


def soon() -> Deadline:
    """Return a deadline that a slow machine keeps; made per call, since a session of tests outlasts any constant."""
    return Deadline.after(60)


def ranked_bundle(store: ModelStore, seed: int = 3, **values: object) -> PolicyBundle:
    """Return the default bundle with tiny rankers of this seed pinned, and other values, dots written as `__`."""
    bundle = default_bundle()
    user, item = tuple(bundle.features.user), tuple(bundle.features.item)
    groups = (*user, *item)
    pins = {
        kind.value: put_scorer(store, kind, width(user), width(item), groups, seed=seed).model_version
        for kind in (Kind.PRE_RANKER, Kind.RANKER)
    }
    changes = {"ranking.best_n": 40, **{name.replace("__", "."): value for name, value in values.items()}}
    return with_values(with_models(bundle, **pins), changes)


def synthetic_request(k: int, purpose: Purpose, number: int) -> Request:
    subject = number.to_bytes(16, "big")
    return Request(
        f"request-{number}", subject, f"user-{number}", "", "home", "session", 0, k, NOTHING, NOTHING, "en", "test",
        purpose, Exploration.BUNDLE, None, True, bytes(16),
    )  # fmt: skip


def synthetic_user(bundle: PolicyBundle, rng: np.random.Generator, acted: np.ndarray) -> UserContext:
    groups = len(bundle.features.user)
    none32 = np.zeros(0, np.float32)
    return UserContext(
        columns=rng.normal(size=width(bundle.features.user)).astype(np.float16),
        group_ages_s=rng.integers(0, 9_000, groups).astype(np.uint32),
        group_mask=np.zeros(groups, np.uint8),
        history=History(NOTHING, np.zeros(0, np.uint8), none32, np.zeros(0, np.uint32)),
        cross=CrossContext(none32, NOTHING, none32, NOTHING, none32, none32, ""),
        acted=acted, viewed=NOTHING, blocked_items=NOTHING, blocked_creators=NOTHING, recent=NOTHING,
        stored_answer=b"", degradations=(),
    )  # fmt: skip


def synthetic_candidates(bundle: PolicyBundle, rng: np.random.Generator, n: int) -> CandidateSet:
    plans = bundle.retrieval.plans()
    ranks = rng.integers(0, 3, (n, len(plans))).astype(np.uint16)
    ranks[:, 0] = np.arange(1, n + 1)
    return CandidateSet(
        item_ids=rng.permutation(np.arange(1, n + 1).astype(np.uint64) * np.uint64(7919)),
        fused_scores=np.sort(rng.random(n).astype(np.float32))[::-1].copy(),
        source_ranks=ranks,
        source_scores=(rng.random((n, len(plans))) * (ranks > 0)).astype(np.float32),
        signals=rng.normal(size=(n, K)).astype(np.float32),
        signal_names=SIGNALS,
        reports=tuple(
            SourceReport(p.source, int((ranks[:, i] > 0).sum()), 900, False, "") for i, p in enumerate(plans)
        ),
        index_epoch="e" * 32,
    )


def synthetic_columns(bundle: PolicyBundle, rng: np.random.Generator, found: CandidateSet) -> ItemColumns:
    n, groups = len(found.item_ids), len(bundle.features.item)
    content = rng.normal(size=(n, 16))
    return ItemColumns(
        columns=rng.normal(size=(n, width(bundle.features.item))).astype(np.float16),
        group_ages_s=rng.integers(0, 9_000, (n, groups)).astype(np.uint32),
        group_mask=(rng.random((n, groups)) < 0.1).astype(np.uint8),
        creator_ids=rng.integers(0, 6, n).astype(np.uint64),
        first_tag_ids=rng.integers(0, 4, n).astype(np.uint64),
        eligibility=np.zeros(n, np.uint8),
        content=(content / np.linalg.norm(content, axis=1, keepdims=True)).astype(np.float16),
        external_ids=tuple(f"item-{item}" for item in found.item_ids),
        degradations=(),
    )


def recorded(
    store: ModelStore, bundle: PolicyBundle, number: int, *, n: int = 60, k: int = 20, purpose: Purpose = Purpose.SERVE
) -> tuple[DecisionRecord, Answer]:
    """Return decision number `number` over `n` candidates, its whole funnel on record."""
    rng = np.random.default_rng(number)
    found = synthetic_candidates(bundle, rng, n)
    user = synthetic_user(bundle, rng, found.item_ids[:3])
    items = synthetic_columns(bundle, rng, found)
    plan = Plan(policy_version(bundle), bundle, synthetic_request(k, purpose, number), NOW_MS + number, number, 1.0)
    if plan.ranked:
        pre_ranker = open_pre_ranker(store, bundle.models.pre_ranker)
        ranker = open_ranker(store, bundle.models.ranker)
        scores = scores_of(plan.score_query(user, found, items), pre_ranker, ranker)
    else:
        scores = plan.retrieval_scores(found)
    guards = guard_bits(
        found.item_ids, items.creator_ids, seen=plan.seen(user), recent=user.recent, blocked_items=NOTHING,
        blocked_creators=NOTHING, excluded=NOTHING,
    )  # fmt: skip
    slate = decide(bundle, plan.slate_query(found, items, scores, guards))
    run = PipelineRun(plan, user, found, items, scores, guards, slate, [], {Stage.RETRIEVE: 2_000, Stage.DECIDE: 700})
    wall_ms = NOW_MS + number
    return assemble(run, Identity(make_decision_id(wall_ms, plan.request.subject, number.to_bytes(9, "big")), wall_ms))


def synthetic_order(bundle: PolicyBundle, n: int = 60) -> FallbackOrder:
    """Return an order of `n` items of six creators and four tags."""
    ids, rng = np.arange(1, n + 1).astype(np.uint64) * np.uint64(7919), np.random.default_rng(n)
    creators, tags = rng.integers(0, 6, n).astype(np.uint64), rng.integers(0, 4, n).astype(np.uint64)
    return FallbackOrder.of("home", policy_version(bundle), ids, creators, tags, [f"item-{item}" for item in ids])


def recorded_fallback(
    bundle: PolicyBundle, order: FallbackOrder, number: int, *, k: int = 20
) -> tuple[DecisionRecord, Answer]:
    """Return decision number `number`, served from the order to a user who has acted on its first three items."""
    user = synthetic_user(bundle, np.random.default_rng(number), order.item_ids[:3])
    asked = synthetic_request(k, Purpose.SERVE, number)
    plan = Plan(policy_version(bundle), bundle, asked, NOW_MS + number, number, 1.0, order)
    lost = [Degradation(Stage.HYDRATE_ITEMS, DegradationReason.TIMEOUT)]
    run = fallback_run(plan, order, user, lost, {Stage.HYDRATE_ITEMS: 30_000})
    wall_ms = NOW_MS + number
    return assemble(run, Identity(make_decision_id(wall_ms, asked.subject, number.to_bytes(9, "big")), wall_ms))


def events_of(record: DecisionRecord, answer: Answer) -> tuple[Event, list[Event]]:
    """Return the slate's event and the funnel's, as exposure writes them."""
    decision = decision_from_record(record, answer)
    clock = FixedClock(record.occurred_at_ms)
    parts = [] if decision.funnel is None else pack_funnel(decision.funnel, 4096)
    return slate_event(decision, (), len(parts), clock), funnel_events(decision, parts, clock)


@dataclass
class RecordedLog:
    """A log in memory with policies and decisions on it."""

    broker: MemoryBroker
    store: ModelStore
    active: str = ""
    switches: int = 0

    @classmethod
    def new(cls, folder: Path) -> RecordedLog:
        return cls(MemoryBroker(partitions=4, wall_ms=lambda: NOW_MS), ModelStore(folder / "models"))

    def log(self, producer: str = "cli") -> MemoryEventLog:
        return MemoryEventLog(self.broker, producer=producer)

    async def activate(self, bundle: PolicyBundle, at_ms: int) -> None:
        version, clock = policy_version(bundle), FixedClock(at_ms)
        told = {"actor": "test", "reason": ""}
        events = [
            published_event(clock, "policy", "home", version, canonical_json(bundle), **told),
            activated_event(
                clock, "policy", "home", version=version, expected_previous=self.active, ordinal=self.switches, **told
            ),
        ]
        for event in events:
            await self.log("policy").append(POLICIES, b"home", event, deadline=soon())
        self.active, self.switches = version, self.switches + 1

    async def prepare(self, order: FallbackOrder) -> None:
        event = fallback_event(FixedClock(NOW_MS), "policy", order)
        await self.log("policy").append(FALLBACKS, b"home", event, deadline=soon())

    async def decide(self, bundle: PolicyBundle, number: int, **options: object) -> DecisionRecord:
        return await self.put(*recorded(self.store, bundle, number, **options))  # type: ignore[arg-type]

    async def put(self, record: DecisionRecord, answer: Answer) -> DecisionRecord:
        slate, funnel = events_of(record, answer)
        key = record.request.subject
        await self.log("exposure").append_many(FUNNELS, [(key, event) for event in funnel], deadline=soon())
        await self.log("exposure").append(DECISIONS, key, slate, deadline=soon())
        return record
