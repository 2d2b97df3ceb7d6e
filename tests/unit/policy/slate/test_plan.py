"""The vectorised plan equals the definition in policy's README, written out candidate by candidate."""

import math

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.policy.slate.conftest import bundle_of, falling, query_of, random_query

from loopwright.bundle import PolicyBundle
from loopwright.domain.guards import ineligible
from loopwright.pipeline.types import SlateQuery
from loopwright.policy.slate import make_plan


def literal(bundle: PolicyBundle, query: SlateQuery, slot: int) -> tuple[list[int], list[int]]:
    """Return D as rows of the query (-1 at the slot) and A as rows, by item id."""
    utility = {row: float(query.heads[row, 0]) for row in range(len(query.item_ids))}
    barred = ineligible(query.eligibility, query.guards)
    eligible = sorted((row for row in utility if not barred[row]), key=lambda row: int(query.item_ids[row]))
    low, high = min(utility[row] for row in eligible), max(utility[row] for row in eligible)
    weight = bundle.diversity.mmr_lambda
    vectors = query.content.astype(float).tolist()
    chosen: list[int] = []

    def passes(row: int) -> bool:
        for column, cap in (
            (query.creator_ids, bundle.constraints.creator_cap),
            (query.first_tag_ids, bundle.constraints.topic_cap),
        ):
            if cap and column[row] and sum(column[other] == column[row] for other in chosen) >= cap:
                return False
        return True

    def score(row: int) -> float:
        relevance = (utility[row] - low) / (high - low) if high > low else 0.0
        nearest = [math.fsum(a * b for a, b in zip(vectors[row], vectors[j], strict=True)) for j in chosen]
        return weight * relevance - (1.0 - weight) * max(nearest) if nearest else weight * relevance

    length = min(query.k, len(eligible))
    listed = []
    for position in range(1, length + 1):
        if position == slot:
            continue
        able = [row for row in eligible if row not in chosen and passes(row)]
        left = sorted((row for row in eligible if row not in chosen), key=lambda row: -utility[row])
        chosen.append(max(able, key=score) if able else left[0])
    listed = list(chosen)
    if slot:
        listed.insert(slot - 1, -1)
    explorable = [row for row in eligible if row not in chosen and passes(row)] if slot else []
    return listed, explorable


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(12, 60),
    creator_cap=st.integers(0, 4),
    topic_cap=st.integers(0, 4),
    mmr_lambda=st.sampled_from([0.3, 0.7, 0.95]),
)
def test_the_plan_is_the_definition(seed: int, n: int, creator_cap: int, topic_cap: int, mmr_lambda: float) -> None:
    query = random_query(seed, n=n, k=9)
    bundle = bundle_of(slot=5, creator_cap=creator_cap, topic_cap=topic_cap, mmr_lambda=mmr_lambda)
    plan = make_plan(bundle, query)
    if not plan.numbers.s:
        return
    listed, explorable = literal(bundle, query, 5)
    assert [int(plan.pool.rows[index]) if index >= 0 else -1 for index in plan.listed] == listed
    assert [int(plan.pool.rows[index]) for index in plan.explorable] == explorable
    assert plan.numbers.m == len(explorable)


def test_a_cap_counts_the_places_given_and_an_absent_key_is_never_capped() -> None:
    query = query_of(falling(10), tags=[1, 1, 1, 0, 0, 0, 0, 2, 2, 2], k=7)
    plan = make_plan(bundle_of(slot=0, topic_cap=2), query)
    assert plan.pool.rows[plan.listed].tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert plan.held == {2: 10}


def test_the_plan_does_not_read_the_seed() -> None:
    plans = [make_plan(bundle_of(creator_cap=2), random_query(3, n=40, k=9)) for _ in range(2)]
    assert plans[0].mutations == plans[1].mutations
    assert plans[0].listed.tolist() == plans[1].listed.tolist()
