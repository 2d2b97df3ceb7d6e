from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.policy.slate.conftest import bundle_of, falling, query_of, random_query

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import DropReason, Exploration, MutationKind, Scheme
from loopwright.domain.guards import ineligible
from loopwright.faults import BundleNotLoaded, DeadlineExceeded
from loopwright.pipeline.types import Mutation, Slate, SlateQuery
from loopwright.policy.slate import Decider, decide, propensities
from loopwright.rpc import Deadline

SMALL = st.integers(0, 3)


@st.composite
def cases(draw: st.DrawFn) -> tuple[PolicyBundle, SlateQuery]:
    n = draw(st.integers(0, 30))
    column = st.lists(SMALL, min_size=n, max_size=n)
    vectors = [[1, 0], [0, 1], [0.5, 0.5], [-1, 0]]
    query = query_of(
        [value / 4 for value in draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))],
        k=draw(st.integers(1, 25)),
        seed=draw(st.integers(0, 2**64 - 1)),
        exploration=draw(st.sampled_from(list(Exploration))),
        ids=draw(st.lists(st.integers(1, 2**64 - 1), min_size=n, max_size=n, unique=True)),
        creators=draw(column),
        tags=draw(column),
        guards=draw(st.lists(st.sampled_from([0, 0, 0, 1, 4]), min_size=n, max_size=n)),
        eligibility=draw(st.lists(st.sampled_from([0, 0, 0, 2]), min_size=n, max_size=n)),
        content=np.array([vectors[index] for index in draw(column)], dtype=np.float16).reshape(n, 2),
    )
    bundle = bundle_of(
        rho=draw(st.sampled_from([0.0, 0.3, 1.0])),
        slot=draw(st.sampled_from([0, 3, 5, 9])),
        creator_cap=draw(SMALL),
        topic_cap=draw(SMALL),
        mmr_lambda=draw(st.sampled_from([0.0, 0.6, 1.0])),
    )
    return bundle, query


def over_cap(query: SlateQuery, rows: list[int], column: str, cap: int) -> bool:
    counts = Counter(int(getattr(query, column)[row]) for row in rows)
    counts.pop(0, None)
    return bool(cap) and any(count > cap for count in counts.values())


def passes(bundle: PolicyBundle, query: SlateQuery, row: int, beside: list[int]) -> bool:
    limits = (("creator_ids", bundle.constraints.creator_cap), ("first_tag_ids", bundle.constraints.topic_cap))
    for column, cap in limits:
        key = int(getattr(query, column)[row])
        if cap and key and sum(int(getattr(query, column)[other]) == key for other in beside) >= cap:
            return False
    return True


def by_item(query: SlateQuery, slate: Slate) -> object:
    """A slate without the order in which candidates came."""
    ids = query.item_ids.tolist()
    return (
        [ids[row] for row in slate.indices],
        slate.p_shown.tolist(),
        slate.p_position.tolist(),
        slate.schemes.tolist(),
        slate.pre_swap_ranks.tolist(),
        dict(zip(ids, slate.utility.tolist(), strict=True)),
        dict(zip(ids, slate.drop_reasons.tolist(), strict=True)),
        slate.mutations,
        slate.propensity,
    )


@given(cases())
def test_a_slate_has_as_many_eligible_items_as_there_are_places_and_none_twice(
    case: tuple[PolicyBundle, SlateQuery],
) -> None:
    bundle, query = case
    slate = decide(bundle, query)
    eligible = np.flatnonzero(ineligible(query.eligibility, query.guards) == 0).tolist()
    rows = slate.indices.tolist()
    assert len(rows) == min(query.k, len(eligible))
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(eligible)
    assert slate.propensity.n == len(eligible)


@given(cases())
def test_caps_hold_outside_the_slice_except_for_items_on_record_as_lifted(
    case: tuple[PolicyBundle, SlateQuery],
) -> None:
    bundle, query = case
    slate = decide(bundle, query)
    rows = slate.indices.tolist()
    if Scheme.SLICE in slate.schemes:
        return
    lifted = {entry.item_id for entry in slate.mutations if entry.kind == MutationKind.CAP_LIFTED}
    kept = [row for row in rows if int(query.item_ids[row]) not in lifted]
    assert not over_cap(query, kept, "creator_ids", bundle.constraints.creator_cap)
    assert not over_cap(query, kept, "first_tag_ids", bundle.constraints.topic_cap)
    if lifted:  # only when nobody who is left passes
        left = set(np.flatnonzero(ineligible(query.eligibility, query.guards) == 0).tolist()) - set(rows)
        assert not any(passes(bundle, query, row, rows) for row in left)


@given(cases())
def test_the_explore_pool_is_everyone_left_that_passes_the_caps_beside_the_rest(
    case: tuple[PolicyBundle, SlateQuery],
) -> None:
    bundle, query = case
    slate = decide(replace_rate(bundle), query)
    numbers = slate.propensity
    if not numbers.s:
        assert numbers.m == 0
        return
    beside = [row for place, row in enumerate(slate.indices.tolist(), 1) if place != numbers.s]
    eligible = set(np.flatnonzero(ineligible(query.eligibility, query.guards) == 0).tolist())
    pool = [row for row in eligible - set(beside) if passes(bundle, query, row, beside)]
    assert numbers.m == len(pool)
    assert int(slate.indices[numbers.s - 1]) in pool
    assert slate.schemes[numbers.s - 1] == Scheme.EXPLORE


def replace_rate(bundle: PolicyBundle) -> PolicyBundle:
    return bundle.model_copy(update={"exploration": bundle.exploration.model_copy(update={"slice_rate": 0.0})})


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_in_which_candidates_come_does_not_matter(case, shuffler) -> None:  # type: ignore[no-untyped-def]
    bundle, query = case
    order = list(range(len(query.item_ids)))
    shuffler.shuffle(order)
    columns = ("item_ids", "heads", "creator_ids", "first_tag_ids", "eligibility", "guards", "content")
    other = replace(query, **{name: getattr(query, name)[order] for name in columns})
    assert by_item(other, decide(bundle, other)) == by_item(query, decide(bundle, query))


@given(cases())
def test_propensities_are_probabilities_that_sum_to_the_slate(case: tuple[PolicyBundle, SlateQuery]) -> None:
    bundle, query = case
    slate = decide(bundle, query)
    p_shown, p_position = propensities(bundle, query)
    assert p_shown.sum() == pytest.approx(len(slate.indices), abs=1e-6)
    assert p_position.sum(axis=0) == pytest.approx(np.ones(len(slate.indices)), abs=1e-6)
    assert p_position.sum(axis=1) == pytest.approx(p_shown, abs=1e-6)
    assert ((slate.p_shown > 0) & (slate.p_shown <= 1)).all()
    assert ((slate.p_position > 0) & (slate.p_position <= 1)).all()
    assert p_shown[slate.indices].tolist() == slate.p_shown.tolist()


@given(cases())
def test_every_candidate_has_a_drop_reason_unless_it_is_shown(case: tuple[PolicyBundle, SlateQuery]) -> None:
    bundle, query = case
    slate = decide(bundle, query)
    barred = ineligible(query.eligibility, query.guards)
    shown = set(slate.indices.tolist())
    outdone = {DropReason.OUTRANKED, DropReason.CREATOR_CAP, DropReason.TOPIC_CAP}
    for row, reason in enumerate(slate.drop_reasons.tolist()):
        assert (reason == DropReason.KEPT) == (row in shown)
        if barred[row]:
            assert reason == barred[row]
        elif row not in shown:
            assert reason in outdone


@given(cases(), st.integers(0, 2**64 - 1))
def test_without_exploration_nothing_depends_on_the_seed_and_everything_is_certain(
    case: tuple[PolicyBundle, SlateQuery], seed: int
) -> None:
    bundle, query = case
    query = replace(query, exploration=Exploration.OFF)
    slate = decide(bundle, query)
    assert by_item(query, decide(bundle, replace(query, seed=seed))) == by_item(query, slate)
    assert set(slate.schemes.tolist()) <= {Scheme.NONE}
    assert set(slate.p_shown.tolist()) | set(slate.p_position.tolist()) <= {1.0}
    assert (slate.propensity.rho, slate.propensity.m, slate.propensity.s) == (0.0, 0, 0)


@given(cases())
@settings(max_examples=50)
def test_the_recorded_ranks_order_the_eligible_by_utility_then_item_id(case: tuple[PolicyBundle, SlateQuery]) -> None:
    bundle, query = case
    slate = decide(bundle, query)
    eligible = np.flatnonzero(ineligible(query.eligibility, query.guards) == 0).tolist()
    order = sorted(eligible, key=lambda row: (-float(slate.utility[row]), int(query.item_ids[row])))
    assert slate.pre_swap_ranks.tolist() == [order.index(row) + 1 for row in slate.indices.tolist()]


def test_without_constraints_and_exploration_the_slate_is_the_order_by_utility() -> None:
    slate = decide(bundle_of(slot=0), query_of(falling(30)))
    assert slate.indices.tolist() == list(range(10))
    assert slate.mutations == ()
    assert set(slate.schemes.tolist()) == {Scheme.RANKED}


def test_equal_utilities_are_ordered_by_item_id() -> None:
    slate = decide(bundle_of(slot=0), query_of([0.5] * 4, ids=[40, 10, 30, 20], k=3))
    assert slate.indices.tolist() == [1, 3, 2]


def test_fewer_eligible_than_places_shows_them_all_and_drops_the_barred_with_their_reason() -> None:
    slate = decide(bundle_of(rho=0.01), query_of(falling(4), guards=[0, 1, 0, 8], k=10))
    assert slate.indices.tolist() == [0, 2]
    assert slate.drop_reasons.tolist() == [DropReason.KEPT, DropReason.SEEN, DropReason.KEPT, DropReason.EXCLUDED]
    assert slate.p_shown.tolist() == [1.0, 1.0]
    assert slate.propensity.s == 0  # the explore position is beyond the slate


def test_nothing_eligible_gives_an_empty_slate() -> None:
    for query in (query_of([]), query_of(falling(3), guards=[1, 2, 4])):
        slate = decide(bundle_of(rho=1.0), query)
        assert (len(slate.indices), slate.propensity.n, slate.mutations) == (0, 0, ())


def test_a_slate_of_under_five_has_no_explore_slot_even_when_the_position_would_fit() -> None:
    bundle = bundle_of(slot=3)
    assert decide(bundle, query_of(falling(30), k=4)).propensity.s == 0
    assert decide(bundle, query_of(falling(30), k=5)).propensity.s == 3


def test_the_explore_slot_may_be_the_last_place_of_a_slate_that_shows_everybody() -> None:
    slate = decide(bundle_of(slot=5), query_of(falling(5), k=5))
    assert (slate.propensity.m, slate.propensity.s) == (1, 5)
    assert slate.indices.tolist() == [0, 1, 2, 3, 4]
    assert slate.schemes.tolist() == [Scheme.RANKED] * 4 + [Scheme.EXPLORE]
    assert slate.p_position.tolist() == [1.0] * 5


def test_when_nobody_passes_the_caps_the_explore_slot_is_filled_by_rank_and_nothing_is_drawn() -> None:
    slate = decide(bundle_of(creator_cap=2, slot=5), query_of(falling(9), creators=[7] * 9, k=6))
    assert slate.indices.tolist() == [0, 1, 2, 3, 5, 4]  # the slot is filled last, by the next in rank
    assert (slate.propensity.m, slate.propensity.s) == (0, 0)
    assert set(slate.schemes.tolist()) == {Scheme.RANKED}
    assert set(slate.p_shown.tolist()) == {1.0}
    lifted = [(entry.item_id, entry.to_position) for entry in slate.mutations if entry.kind == MutationKind.CAP_LIFTED]
    assert lifted == [(3, 3), (4, 4), (5, 6), (6, 5)]


def test_mutations_tell_in_order_whom_a_cap_held_back_and_whom_the_slot_drew() -> None:
    query = query_of(falling(12), creators=[1, 1, 1, 2, 2, 2, 3, 0, 0, 0, 0, 0], tags=[0] * 12, k=6, seed=3)
    slate = decide(bundle_of(creator_cap=1, slot=5), query)
    assert slate.indices.tolist()[:4] == [0, 3, 6, 7]
    assert slate.indices.tolist()[5] == 8
    assert slate.mutations[:-1] == tuple(Mutation(MutationKind.CREATOR_CAP, item, item, 0) for item in (2, 3, 5, 6))
    explored = slate.mutations[-1]
    assert (explored.kind, explored.to_position) == (MutationKind.EXPLORE, 5)
    assert explored.item_id == int(query.item_ids[slate.indices[4]])
    assert [slate.drop_reasons[row] for row in (1, 2, 4, 5)] == [DropReason.CREATOR_CAP] * 4


def test_a_slate_of_the_slice_ignores_caps_and_says_so_for_every_place() -> None:
    query = query_of(falling(40), creators=[7] * 40, k=10)
    slates = [decide(bundle_of(rho=1.0, creator_cap=1), replace(query, seed=seed)) for seed in range(20)]
    for slate in slates:
        assert set(slate.schemes.tolist()) == {Scheme.SLICE}
        assert [entry.kind for entry in slate.mutations] == [MutationKind.SLICE] * 10
        assert [entry.item_id for entry in slate.mutations] == query.item_ids[slate.indices].tolist()
        assert set(slate.p_position.tolist()) == {1 / 40}
    assert len({tuple(slate.indices.tolist()) for slate in slates}) == 20


def test_a_real_sized_decision_keeps_its_promises() -> None:
    query = random_query(5, n=500, k=20)
    slate = decide(bundle_of(rho=0.01, creator_cap=4, topic_cap=10, mmr_lambda=0.95), query)
    assert len(slate.indices) == 20
    assert slate.propensity.m > 100


async def test_the_stage_decides_under_the_bundle_the_query_names() -> None:
    query = query_of(falling(30))
    bundle = bundle_of()
    decider = Decider({query.policy_version: bundle}.get)
    decided = await decider.decide(query, Deadline.after(1))
    assert by_item(query, decided) == by_item(query, decide(bundle, query))
    with pytest.raises(BundleNotLoaded) as caught:
        await decider.decide(replace(query, policy_version="1" * 64), Deadline.after(1))
    assert caught.value.metadata == {"policy_version": "1" * 64}
    with pytest.raises(DeadlineExceeded):
        await decider.decide(query, Deadline.after(0))
