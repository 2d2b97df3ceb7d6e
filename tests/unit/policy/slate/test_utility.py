import numpy as np
import pytest
from tests.unit.policy.slate.conftest import bundle_of

from loopwright.faults import InvalidRequest
from loopwright.policy.slate.utility import utilities

HEADS = np.array([[0.1, 0.2], [0.3, 0.7]], dtype=np.float32)


def test_utility_is_the_weighted_sum_in_double_precision() -> None:
    found = utilities(bundle_of(weights={"engage": 1.0, "satisfied": 0.5}), HEADS, ("engage", "satisfied"))
    assert found.dtype == np.float64
    assert found.tolist() == [float(row[0]) + 0.5 * float(row[1]) for row in HEADS]


def test_the_order_of_columns_does_not_change_a_bit() -> None:
    bundle = bundle_of(weights={"engage": 0.1, "satisfied": 0.7})
    turned = utilities(bundle, HEADS[:, ::-1], ("satisfied", "engage"))
    assert turned.tolist() == utilities(bundle, HEADS, ("engage", "satisfied")).tolist()


def test_without_a_ranker_the_retrieval_score_is_the_utility() -> None:
    assert utilities(bundle_of(), HEADS[:, :1], ("retrieval",)).tolist() == HEADS[:, 0].astype(float).tolist()


def test_a_weighted_head_that_is_missing_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="satisfied"):
        utilities(bundle_of(), HEADS[:, :1], ("engage",))
