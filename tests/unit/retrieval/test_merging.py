import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.enums import PLANNED_SOURCES
from loopwright.featurespec.fusion import RANK_CONSTANT
from loopwright.pipeline.types import SourcePlan
from loopwright.retrieval.merging import merge
from loopwright.retrieval.query import Proposal

LISTS = st.lists(st.lists(st.integers(1, 30), unique=True, max_size=15), min_size=1, max_size=5)
WEIGHTS = st.lists(st.sampled_from([0.0, 0.2, 1.0]), min_size=5, max_size=5)


def plans(count: int, weights: list[float]) -> list[SourcePlan]:
    pairs = zip(PLANNED_SOURCES[:count], weights, strict=False)
    return [SourcePlan(source, 15, weight, 10) for source, weight in pairs]


def proposal(items: list[int]) -> Proposal:
    return Proposal(np.array(items, np.uint64), np.arange(len(items), 0, -1, dtype=np.float32))


@given(LISTS, WEIGHTS)
def test_every_crediting_source_is_kept_and_no_item_comes_twice(lists: list[list[int]], weights: list[float]) -> None:
    merged = merge(plans(len(lists), weights), [proposal(items) for items in lists], 1000)
    assert sorted(merged.item_ids.tolist()) == sorted({item for items in lists for item in items})
    for row, item in enumerate(merged.item_ids.tolist()):
        for column, items in enumerate(lists):
            rank = items.index(item) + 1 if item in items else 0
            assert merged.ranks[row, column] == rank
            assert merged.scores[row, column] == (len(items) - rank + 1 if rank else 0)


@given(LISTS, WEIGHTS, st.integers(1, 40))
def test_the_order_is_by_fused_score_with_ties_by_id_and_the_cut_keeps_the_best(
    lists: list[list[int]], weights: list[float], most: int
) -> None:
    planned, proposals = plans(len(lists), weights), [proposal(items) for items in lists]
    whole, merged = merge(planned, proposals, 1000), merge(planned, proposals, most)
    pairs = [(-score, item) for score, item in zip(whole.fused.tolist(), whole.item_ids.tolist(), strict=True)]
    assert pairs == sorted(pairs)
    np.testing.assert_array_equal(merged.item_ids, whole.item_ids[:most])
    np.testing.assert_array_equal(merged.ranks, whole.ranks[:most])


def test_the_fused_score_is_the_weighted_sum_of_reciprocal_ranks() -> None:
    merged = merge(plans(2, [1.0, 0.5]), [proposal([7, 8]), proposal([8])], 10)
    expected = {7: 1 / (RANK_CONSTANT + 1), 8: 1 / (RANK_CONSTANT + 2) + 0.5 / (RANK_CONSTANT + 1)}
    found = dict(zip(merged.item_ids.tolist(), merged.fused.tolist(), strict=True))
    assert found.keys() == expected.keys()
    np.testing.assert_allclose([found[i] for i in expected], list(expected.values()), rtol=1e-6)


def test_no_proposals_merge_to_nothing() -> None:
    merged = merge(plans(2, [1.0, 1.0]), [proposal([]), proposal([])], 10)
    assert merged.ranks.shape == (0, 2) and len(merged.item_ids) == 0
