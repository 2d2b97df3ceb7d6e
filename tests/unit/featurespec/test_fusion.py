import numpy as np

from loopwright.featurespec.fusion import RANK_CONSTANT, fused_scores, log_share

RANKS = np.array([[1, 0], [2, 1], [0, 0]], np.uint16)


def test_the_fused_score_is_the_weighted_sum_of_reciprocal_ranks() -> None:
    expected = [1 / (RANK_CONSTANT + 1), 1 / (RANK_CONSTANT + 2) + 0.5 / (RANK_CONSTANT + 1), 0]
    np.testing.assert_allclose(fused_scores(RANKS, (1.0, 0.5)), expected, rtol=1e-6)


def test_the_share_is_near_zero_for_the_best_and_finite_for_nothing() -> None:
    shares = log_share(fused_scores(RANKS, (1.0, 0.5)), (1.0, 0.5))
    assert np.isfinite(shares).all() and shares[1] > shares[0] > shares[2]
    assert np.isfinite(log_share(np.zeros(2, np.float32), ())).all()
    best = fused_scores(np.array([[1, 1]], np.uint16), (1.0, 0.5))
    assert abs(float(log_share(best, (1.0, 0.5))[0])) < 0.05
