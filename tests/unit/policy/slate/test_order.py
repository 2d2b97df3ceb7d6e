"""The order is the slate of every length in one list, and no stretch of a round breaks a cap."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.policy.slate.conftest import bundle_of, falling, query_of, random_query

from loopwright.domain.enums import Eligibility, Exploration, Guard, MutationKind
from loopwright.domain.guards import ineligible
from loopwright.policy.slate import best_order, decide


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 60),
    k=st.integers(1, 20),
    creator_cap=st.integers(0, 4),
    topic_cap=st.integers(0, 4),
    mmr_lambda=st.sampled_from([0.3, 0.97, 1.0]),
)
def test_the_first_k_are_the_slate_of_k_where_no_cap_is_lifted(
    seed: int, n: int, k: int, creator_cap: int, topic_cap: int, mmr_lambda: float
) -> None:
    bundle = bundle_of(creator_cap=creator_cap, topic_cap=topic_cap, mmr_lambda=mmr_lambda)
    query = replace(random_query(seed, n, k), exploration=Exploration.OFF)
    order = best_order(bundle, query)
    eligible = np.flatnonzero(ineligible(query.eligibility, query.guards) == 0)
    assert sorted(order.tolist()) == eligible.tolist()
    slate = decide(bundle, query)
    if all(m.kind is not MutationKind.CAP_LIFTED for m in slate.mutations):
        assert order[: len(slate.indices)].tolist() == slate.indices.tolist()


@given(seed=st.integers(0, 10**6), n=st.integers(1, 60), creator_cap=st.integers(1, 4), topic_cap=st.integers(1, 4))
def test_a_round_keeps_the_caps_and_ends_only_when_they_leave_nobody(
    seed: int, n: int, creator_cap: int, topic_cap: int
) -> None:
    query = random_query(seed, n, 10)
    order = best_order(bundle_of(creator_cap=creator_cap, topic_cap=topic_cap), query).tolist()
    limits = ((query.creator_ids, creator_cap), (query.first_tag_ids, topic_cap))
    taken: list[int] = []

    def fits(row: int) -> bool:
        return all(not ids[row] or sum(ids[other] == ids[row] for other in taken) < cap for ids, cap in limits)

    for place, row in enumerate(order):
        if not fits(row):
            assert not any(fits(other) for other in order[place:])
            taken.clear()
        taken.append(row)


def test_counts_begin_anew_when_caps_leave_nobody() -> None:
    query = query_of(falling(6), creators=[1, 1, 1, 1, 2, 2])
    assert best_order(bundle_of(creator_cap=2), query).tolist() == [0, 1, 4, 5, 2, 3]


def test_what_is_barred_is_not_in_it() -> None:
    query = query_of(falling(4), guards=[Guard.SEEN, 0, 0, 0], eligibility=[0, 0, Eligibility.UNSAFE, 0])
    assert best_order(bundle_of(), query).tolist() == [1, 3]
    assert best_order(bundle_of(), query_of([])).tolist() == []
