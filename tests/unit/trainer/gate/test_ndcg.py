import numpy as np
import pytest

from loopwright.trainer.gate.ndcg import ndcg, paired


def test_ndcg_of_known_lists() -> None:
    ranked = np.array([5, 1, 2], np.uint64)
    assert ndcg(ranked, {5}) == 1.0
    assert ndcg(ranked, {1}) == pytest.approx(1 / np.log2(3))
    assert ndcg(ranked, {5, 9}) == pytest.approx(1 / (1 + 1 / np.log2(3)))
    assert ndcg(ranked, {9}) == 0.0
    assert ndcg(np.zeros(0, np.uint64), {9}) == 0.0


def test_hits_beyond_the_tenth_do_not_count() -> None:
    assert ndcg(np.arange(1, 12, dtype=np.uint64), {11}) == 0.0


def test_paired_difference_and_error() -> None:
    mean, error = paired(np.array([0.4, 0.2, 0.6]), np.array([0.1, 0.2, 0.3]))
    assert mean == pytest.approx(0.2)
    assert error == pytest.approx(0.1)


def test_one_user_has_no_error_to_speak_of() -> None:
    assert paired(np.array([0.4]), np.array([0.1]))[1] == float("inf")
