import numpy as np
import pytest

from loopwright.trainer.learning.platt import platt


def test_slope_and_bias_of_a_known_world_are_found() -> None:
    generator = np.random.default_rng(0)
    z = generator.normal(size=40_000).astype(np.float32)
    outcome = generator.random(len(z)) < 1 / (1 + np.exp(-(0.5 * z - 1)))
    slope, bias = platt(z, outcome, np.ones(len(z), np.float32))
    assert slope == pytest.approx(0.5, abs=0.05)
    assert bias == pytest.approx(-1.0, abs=0.05)


def test_weights_count_like_repeated_rows() -> None:
    generator = np.random.default_rng(1)
    z, outcome = generator.normal(size=200).astype(np.float32), generator.random(200) < 0.4
    twice = platt(z, outcome, np.full(200, 2, np.float32))
    repeated = platt(np.tile(z, 2), np.tile(outcome, 2), np.ones(400, np.float32))
    assert twice == pytest.approx(repeated)


def test_too_few_outcomes_change_nothing() -> None:
    z = np.linspace(-1, 1, 50, dtype=np.float32)
    assert platt(z, z > 0.9, np.ones(50, np.float32)) == (1.0, 0.0)
