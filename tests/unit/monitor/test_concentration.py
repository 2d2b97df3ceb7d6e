from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.monitor.concentration import concentration


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(0, 20))
def test_gini_is_half_the_relative_mean_difference(counts: list[int], unseen: int) -> None:
    x = counts + [0] * unseen
    mean_difference = sum(abs(a - b) for a in x for b in x) / len(x) ** 2
    found = concentration(counts, len(x))
    assert found.gini == pytest.approx(mean_difference / (2 * sum(x) / len(x)), abs=1e-9)
    assert found.coverage == pytest.approx(len(counts) / len(x))
    assert found.top_share == pytest.approx(sum(sorted(x)[-math.ceil(len(x) / 100) :]) / sum(x))


def test_all_alike_is_zero_and_all_on_one_of_many_is_near_one() -> None:
    assert concentration([3] * 10, 10).gini == pytest.approx(0.0)
    assert concentration([100], 1000).gini == pytest.approx(0.999)
    assert concentration([100], 1000).top_share == 1.0


def test_nothing_shown_is_no_concentration() -> None:
    assert concentration([], 5) == concentration({}, 5)
    assert (concentration([], 5).gini, concentration([], 0).coverage) == (0.0, 0.0)


def test_a_population_smaller_than_what_was_shown_grows() -> None:
    assert concentration([1, 1], 1).population == 2
