"""Draws are functions of seed and label, uniform, and the same in every build."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.randomness import below, draw_u64, sample_without_replacement, unit

CHI2_9_P001 = 27.88
"""Quantile .999 of chi-square with 9 degrees of freedom."""


def test_draws_never_change_between_builds() -> None:
    assert draw_u64(1, "explore") == 13398139036312057962
    assert sample_without_replacement(7, "slice.draw", 10, 4) == [5, 2, 6, 1]


def test_labels_and_indices_are_independent_streams() -> None:
    assert draw_u64(1, "a") != draw_u64(1, "b")
    assert draw_u64(1, "a", 0) != draw_u64(1, "a", 1)


@given(st.integers(0, 2**64 - 1), st.integers(1, 1000))
def test_below_stays_below(seed: int, bound: int) -> None:
    assert 0 <= below(seed, "x", bound) < bound
    assert 0.0 <= unit(seed, "x") < 1.0


def test_below_is_uniform() -> None:
    counts = Counter(below(seed, "u", 10) for seed in range(10_000))
    assert sum((counts[i] - 1000) ** 2 / 1000 for i in range(10)) < CHI2_9_P001


def test_every_place_of_a_sample_is_uniform() -> None:
    samples = [sample_without_replacement(seed, "s", 10, 3) for seed in range(10_000)]
    for place in range(3):
        counts = Counter(sample[place] for sample in samples)
        assert sum((counts[i] - 1000) ** 2 / 1000 for i in range(10)) < CHI2_9_P001


@given(st.integers(0, 2**64 - 1), st.integers(0, 60), st.integers(0, 80))
def test_a_sample_has_no_doubles_and_no_more_than_there_are(seed: int, n: int, k: int) -> None:
    sample = sample_without_replacement(seed, "s", n, k)
    assert len(sample) == len(set(sample)) == min(n, k)
    assert all(0 <= i < n for i in sample)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        below(1, "x", 0)
