import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.cli.demo.ndcg import mean, ndcg, paired, per_user

LISTS = st.lists(st.integers(0, 30).map(str), unique=True, max_size=25)


def test_a_worked_example() -> None:
    ideal = 1 + 1 / math.log2(3)
    assert ndcg(["a", "b", "c"], frozenset({"a", "c"})) == pytest.approx((1 + 0.5) / ideal)


@given(LISTS, st.frozensets(st.integers(0, 30).map(str), min_size=1, max_size=15))
def test_it_lies_between_nothing_found_and_all_found_first(ranked: list[str], positives: frozenset[str]) -> None:
    value = ndcg(ranked, positives)
    assert 0 <= value <= 1 + 1e-12
    assert (value == 0) == (not positives & set(ranked[:10]))
    assert ndcg([*sorted(positives), *(i for i in ranked if i not in positives)], positives) == pytest.approx(1)


def test_what_stands_after_the_tenth_place_does_not_count() -> None:
    assert ndcg([*"abcdefghij", "x"], frozenset({"x"})) == 0


def test_without_a_positive_there_is_nothing_to_judge() -> None:
    with pytest.raises(ValueError, match="positive"):
        ndcg(["a"], frozenset())
    assert per_user({"ann": ["a"], "bob": ["a"]}, {"ann": frozenset({"a"}), "bob": frozenset()}) == {"ann": 1.0}


def test_the_error_is_that_of_the_mean_over_users() -> None:
    found = mean({"a": 0.0, "b": 1.0, "c": 0.5, "d": 0.5})
    assert (found.value, found.users) == (0.5, 4)
    assert found.error == pytest.approx(math.sqrt(0.5 / 3) / 2)


def test_too_few_users_have_no_error_and_none_have_no_mean() -> None:
    assert math.isnan(mean({"a": 1.0}).error) and math.isnan(mean({}).value)
    assert mean({}).document() == {"ndcg_at_10": None, "standard_error": None, "users": 0}


def test_a_difference_is_paired_over_the_users_of_both() -> None:
    found = paired({"a": 0.1, "b": 0.2, "gone": 0.9}, {"a": 0.2, "b": 0.3, "new": 0.0})
    assert (found.users, found.value) == (2, pytest.approx(0.1))
    assert found.error == pytest.approx(0, abs=1e-12)
