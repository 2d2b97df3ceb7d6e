import numpy as np

from loopwright.featurespec.covisitation import GraphScores
from loopwright.featurespec.signals import SIGNALS, candidate_signals, tower_products

RNG = np.random.default_rng(0)
USER, ITEMS = RNG.normal(size=8).astype(np.float32), RNG.normal(size=(50, 8)).astype(np.float32)
FUSED = np.linspace(0.05, 0.01, 50, dtype=np.float32)


def test_a_score_does_not_depend_on_the_batch() -> None:
    whole = tower_products(USER, ITEMS).scores
    alone = np.concatenate([tower_products(USER, ITEMS[i : i + 1]).scores for i in range(50)])
    np.testing.assert_array_equal(whole, alone)
    np.testing.assert_allclose(whole, ITEMS @ USER, rtol=1e-5)


def test_signals_are_columns_in_the_order_of_their_names() -> None:
    graph = GraphScores(
        np.arange(50, dtype=np.uint64), *(np.arange(50, dtype=np.float32) * scale for scale in (1, 2, 3))
    )
    columns = dict(
        zip(SIGNALS, candidate_signals(tower_products(USER, ITEMS), graph, FUSED, (1.0, 0.5)).T, strict=True)
    )
    np.testing.assert_array_equal(columns["two_tower"], tower_products(USER, ITEMS).scores)
    cosine = ITEMS @ USER / (np.linalg.norm(ITEMS, axis=1) * np.linalg.norm(USER))
    np.testing.assert_allclose(columns["two_tower_cosine"], cosine, atol=1e-6)
    np.testing.assert_array_equal(columns["co_visitation"], graph.total)
    np.testing.assert_array_equal(columns["co_visitation_flat"], graph.flat)
    np.testing.assert_array_equal(columns["co_visitation_best"], graph.best)
    for name in ("two_tower_z", "co_visitation_z"):
        assert abs(columns[name].mean()) < 1e-5 and abs(columns[name].std() - 1) < 0.01


def test_what_did_not_answer_is_zero() -> None:
    columns = candidate_signals(None, None, FUSED[:3], (1.0,))
    assert not columns[:, :-1].any() and columns[:, -1].all()
    assert candidate_signals(tower_products(USER, ITEMS[:0]), None, FUSED[:0], (1.0,)).shape == (0, len(SIGNALS))


def test_equal_candidates_stay_finite() -> None:
    ones = GraphScores(np.arange(4, dtype=np.uint64), *(np.ones(4, np.float32) for _ in range(3)))
    towers = tower_products(USER, np.zeros((4, 8), np.float32))
    assert np.isfinite(candidate_signals(towers, ones, FUSED[:4], ())).all()
