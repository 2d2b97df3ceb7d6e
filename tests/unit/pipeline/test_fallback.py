"""A fallback slate is a prefix of the order without what must not be shown, and a record like any other."""

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pipeline.test_runner import BUNDLE, ORDER, VERSION, plan, request

from loopwright.bundle import FallbackOrder
from loopwright.domain.enums import DegradationReason, DropReason, Mask, MutationKind, Purpose, Scheme, Source, Stage
from loopwright.domain.guards import ineligible
from loopwright.featurespec.signals import SIGNALS
from loopwright.pipeline.assemble import Identity, assemble
from loopwright.pipeline.convert.decision import record_from_proto, record_to_proto
from loopwright.pipeline.fallback import fallback_candidates, fallback_run, first_eligible, unknown_user
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.record import input_digests
from loopwright.pipeline.run import PipelineRun
from loopwright.pipeline.types import Degradation, UserContext
from loopwright.policy.fallback import Popular, ordered, slate_query
from loopwright.policy.slate import decide

LOSS = Degradation(Stage.HYDRATE_ITEMS, DegradationReason.UNAVAILABLE)
ids = st.sets(st.sampled_from(ORDER.item_ids.tolist()), max_size=40)


def user(**known: set[int]) -> UserContext:
    nobody = replace(unknown_user(plan(), LOSS), hydrated=True, degradations=())
    return replace(nobody, **{name: np.array(sorted(found), np.uint64) for name, found in known.items()})  # type: ignore[arg-type]


def run_of(asked: Plan, known: UserContext, order: FallbackOrder = ORDER) -> PipelineRun:
    return fallback_run(replace(asked, fallback=order), order, known, [LOSS], {})


@given(
    acted=ids,
    viewed=ids,
    recent=ids,
    blocked=ids,
    excluded=ids,
    creators=st.sets(st.integers(0, 5)),
    k=st.integers(1, 50),
)
def test_no_slate_holds_what_a_guard_bars_and_none_is_longer_or_shorter_than_it_can_be(
    acted: set[int],
    viewed: set[int],
    recent: set[int],
    blocked: set[int],
    excluded: set[int],
    creators: set[int],
    k: int,
) -> None:
    known = user(acted=acted, viewed=viewed, recent=recent, blocked_items=blocked, blocked_creators=creators)
    asked = plan(k=k, excluded=np.array(sorted(excluded), np.uint64))
    run = run_of(asked, known)
    barred = acted | viewed | recent | blocked | excluded
    of = dict(zip(ORDER.item_ids.tolist(), ORDER.creator_ids.tolist(), strict=True))
    left = [item for item in of if item not in barred and (not of[item] or of[item] not in creators)]
    assert ORDER.item_ids[run.slate.indices].tolist() == left[:k]
    assert not ineligible(run.items.eligibility, run.guards)[run.slate.indices].any()
    said = [d.reason for d in run.degradations]
    assert (DegradationReason.SHORT_SLATE in said) == (len(left) < k)
    assert said[:2] == [DegradationReason.UNAVAILABLE, DegradationReason.FALLBACK]


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 120),
    creators=st.integers(1, 30),
    tags=st.integers(1, 20),
    k=st.integers(1, 40),
)
def test_the_first_k_of_policys_order_keep_the_caps_wherever_a_slate_of_k_could(
    seed: int, n: int, creators: int, tags: int, k: int
) -> None:
    rng = np.random.default_rng(seed)
    items = Popular(
        item_ids=np.arange(1, n + 1, dtype=np.uint64),
        creator_ids=rng.integers(0, creators, n).astype(np.uint64),
        first_tag_ids=rng.integers(0, tags, n).astype(np.uint64),
        content=np.zeros((n, 16), np.float16),
        popularity=rng.integers(0, 50, n).astype(np.float64),
        external_ids=tuple(f"i{row}" for row in range(n)),
    )
    chosen = run_of(plan(k=k), user(), ordered(BUNDLE, items)).slate.indices
    order = ordered(BUNDLE, items)
    lifted = {m.kind for m in decide(BUNDLE, slate_query(items, k)).mutations} & {MutationKind.CAP_LIFTED}
    limits = BUNDLE.constraints
    for keys, cap in ((order.creator_ids, limits.creator_cap), (order.first_tag_ids, limits.topic_cap)):
        counts = Counter(keys[chosen].tolist())
        del counts[0]
        assert lifted or max(counts.values(), default=0) <= cap


def test_an_unknown_user_is_kept_from_what_the_request_excludes_and_nothing_else() -> None:
    first = ORDER.item_ids[:2]
    nobody = unknown_user(plan(), LOSS)
    run = run_of(plan(excluded=first), nobody)
    assert ORDER.item_ids[run.slate.indices].tolist() == ORDER.item_ids[2:12].tolist()
    assert not nobody.hydrated and nobody.degradations == (LOSS,)
    assert nobody.group_mask.tolist() == [Mask.NOT_ANSWERED] * len(BUNDLE.features.user) and not len(nobody.columns)


def test_judging_counts_only_what_was_acted_on_as_seen() -> None:
    known = user(acted={int(ORDER.item_ids[0])}, viewed={int(ORDER.item_ids[1])})
    judged, served = plan(purpose=Purpose.EVALUATE), plan()
    assert ORDER.item_ids[run_of(judged, known).slate.indices][0] == ORDER.item_ids[1]
    assert ORDER.item_ids[run_of(served, known).slate.indices][0] == ORDER.item_ids[2]


def test_nothing_left_is_an_empty_flagged_answer() -> None:
    run = run_of(plan(excluded=ORDER.item_ids), user())
    record, answer = assemble(run, Identity(b"d" * 16, 5))
    assert answer.items == () and record.slate == ()
    assert answer.degradations[-1] == Degradation(Stage.DECIDE, DegradationReason.SHORT_SLATE)


def test_the_record_of_a_fallback_slate_says_what_it_is_and_comes_back_from_its_events() -> None:
    asked = replace(plan(), request=request(record_funnel=True))
    run = run_of(asked, user(acted={int(ORDER.item_ids[1])}))
    record, answer = assemble(run, Identity(b"d" * 16, 5))
    assert record.candidates is not None and len(record.candidates) == len(ORDER)
    assert [s.source for s in record.sources] == [Source.FALLBACK]
    assert record.versions.index_epoch == ORDER.epoch and record.versions.policy_version == VERSION
    assert {(p.scheme, p.p_shown, p.p_position, p.support) for p in record.slate} == {(Scheme.NONE, 1.0, 1.0, False)}
    assert [p.pre_swap_rank for p in record.slate] == list(range(1, 11))
    drops = Counter(record.candidates.drop_reasons.tolist())
    assert drops == {DropReason.KEPT: 10, DropReason.SEEN: 1, DropReason.OUTRANKED: len(ORDER) - 11}
    assert record.candidates.item_columns.shape == (len(ORDER), 0)
    decided, funnel = record_to_proto(record)
    back = record_from_proto(
        decided, funnel, surface="home", occurred_at_ms=record.occurred_at_ms, versions=record.versions
    )
    assert input_digests(back) == dict(record.input_digests) == dict(back.input_digests)
    assert back.slate == record.slate and back.degradations == record.degradations
    assert [item.external_id for item in answer.items][:2] == ["i0", "i2"]


def test_candidates_from_the_order_are_what_rankers_and_policy_expect() -> None:
    known = user(blocked_items={int(ORDER.item_ids[0])})
    found = fallback_candidates(replace(plan(), fallback=ORDER), ORDER, known)
    assert found.item_ids.tolist() == ORDER.item_ids[1:].tolist()
    assert found.source_ranks[:, 0].tolist() == list(range(2, 41))
    assert (np.diff(found.fused_scores) < 0).all()
    assert found.signal_names == SIGNALS and found.signals.shape == (39, len(SIGNALS))
    assert not found.signals[:, :7].any()
    assert [(r.source, r.count, r.failed) for r in found.reports] == [(Source.FALLBACK, 39, False)]
    assert found.index_epoch == ORDER.epoch


def test_first_eligible_takes_rows_in_order_and_says_why_others_are_out() -> None:
    eligibility, guards = np.array([0, 2, 0, 0], np.uint8), np.array([4, 0, 0, 0], np.uint8)
    slate = first_eligible(eligibility, guards, 1)
    assert slate.indices.tolist() == [2]
    assert slate.drop_reasons.tolist() == [
        DropReason.BLOCKED, DropReason.OUT_OF_STOCK, DropReason.KEPT, DropReason.OUTRANKED
    ]  # fmt: skip
