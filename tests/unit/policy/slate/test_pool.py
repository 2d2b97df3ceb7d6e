from dataclasses import replace

import numpy as np
import pytest
from tests.unit.policy.slate.conftest import bundle_of, falling, query_of

from loopwright.faults import InvalidRequest
from loopwright.pipeline.types import SlateQuery
from loopwright.policy.faults import OutputNotFinite
from loopwright.policy.slate.pool import make_pool


def refused(query: SlateQuery) -> str:
    with pytest.raises(InvalidRequest) as caught:
        make_pool(bundle_of(), query, np.zeros(len(query.item_ids), dtype=np.uint8))
    return caught.value.violations[0].field


def test_a_query_that_contradicts_itself_is_refused_by_field() -> None:
    query = query_of(falling(6))
    assert refused(replace(query, k=0)) == "k"
    assert refused(replace(query, guards=query.guards[:5])) == "guards"
    assert refused(replace(query, head_names=("engage",))) == "heads"
    assert refused(replace(query, content=query.content[:, 0])) == "content"
    assert refused(query_of(falling(3), ids=[5, 6, 5])) == "item_ids"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_a_fault_even_on_a_barred_candidate(value: float) -> None:
    query = query_of([0.1, value, 0.3], guards=[0, 1, 0])
    with pytest.raises(OutputNotFinite):
        make_pool(bundle_of(), query, query.guards)


def test_a_head_without_weight_must_be_finite_too() -> None:
    query = query_of(falling(3))
    query.heads[1, 1] = np.nan
    with pytest.raises(OutputNotFinite):
        make_pool(bundle_of(weights={"engage": 1.0}), query, query.guards)


def test_a_content_vector_that_is_not_finite_is_a_fault() -> None:
    query = query_of(falling(3))
    query.content[1, 2] = np.nan
    with pytest.raises(OutputNotFinite):
        make_pool(bundle_of(), query, query.guards)


def test_the_pool_holds_the_eligible_by_item_id_with_their_ranks() -> None:
    query = query_of([0.1, 0.9, 0.5, 0.9], ids=[4, 3, 2, 1])
    pool, utility = make_pool(bundle_of(), query, np.array([0, 0, 2, 0], dtype=np.uint8))
    assert pool.item_ids.tolist() == [1, 3, 4]
    assert pool.rows.tolist() == [3, 1, 0]
    assert pool.ranks.tolist() == [1, 2, 3]
    assert len(utility) == 4
