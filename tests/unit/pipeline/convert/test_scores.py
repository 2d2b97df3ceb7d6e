from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.ranking.v1 import ranking_service_pb2 as pb
from loopwright.faults import Internal, InvalidRequest
from loopwright.pipeline.convert.scores import (
    score_query_from_proto,
    score_query_to_proto,
    scores_from_proto,
    scores_to_proto,
)
from loopwright.pipeline.types import ScoreQuery, Scores

SEEDS = st.integers(0, 2**32)


def query(make, n):
    return ScoreQuery(
        policy_version="p" * 64,
        pre_ranker_version="a" * 64,
        ranker_version="b" * 64,
        feature_groups=("u.v1", "i.v1"),
        item_ids=make(np.uint64, n),
        user_columns=make(np.float16, 4),
        item_columns=make(np.float16, n, 3),
        signals=make(np.float32, n, 2),
        position=1,
        best_n=200,
    )


def scores(make, n):
    best = np.arange(n, dtype=np.uint32)[::-1].copy()
    return Scores(make(np.float32, n), best, make(np.float32, n, 2), ("engage", "satisfied"))


@given(seed=SEEDS, n=st.integers(0, 6))
def test_query_and_scores_survive_the_wire(arrays, same, seed, n):
    asked, answered = query(arrays(seed), n), scores(arrays(seed), n)
    request = pb.ScoreRequest.FromString(score_query_to_proto(asked).SerializeToString())
    answer = pb.ScoreResponse.FromString(scores_to_proto(answered).SerializeToString())
    assert same(score_query_from_proto(request), asked)
    assert same(scores_from_proto(answer), answered)


def test_columns_that_are_not_one_row_a_candidate_are_refused(arrays):
    request = score_query_to_proto(query(arrays(1), 3))
    request.item_columns.CopyFrom(score_query_to_proto(query(arrays(1), 2)).item_columns)
    with pytest.raises(InvalidRequest) as refused:
        score_query_from_proto(request)
    assert refused.value.violations[0].field == "item_columns"


@pytest.mark.parametrize("best", [[0, 2], [1, 1]])
def test_best_indices_out_of_range_or_repeated_are_rankings_fault(arrays, best):
    wrong = Scores(
        np.zeros(2, dtype=np.float32),
        np.array(best, dtype=np.uint32),
        arrays(1)(np.float32, 2, 1),
        ("engage",),
    )
    with pytest.raises(Internal, match="best"):
        scores_from_proto(scores_to_proto(wrong))
