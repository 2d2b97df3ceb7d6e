import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.enums import ActionKind
from loopwright.domain.vectors import LIKED_FLAG, History
from loopwright.featurespec.history import Vocabulary, Weighting, engaged_items, tower_input, weights

CLICK, RATE, HIDE, DWELL = ActionKind.CLICK, ActionKind.RATE, ActionKind.HIDE, ActionKind.DWELL
LIKED_RATE = RATE | LIKED_FLAG


def history(*actions: tuple[int, int]) -> History:
    n = len(actions)
    return History(
        np.array([a for a, _ in actions], np.uint64),
        np.array([k for _, k in actions], np.uint8),
        np.ones(n, np.float32),
        np.arange(n, dtype=np.uint32),
    )


def test_an_item_stands_where_its_newest_engagement_does_and_keeps_any_like() -> None:
    items = engaged_items(history((5, CLICK), (3, RATE), (5, LIKED_RATE), (9, ActionKind.LIKE)))
    np.testing.assert_array_equal(items.item_ids, [5, 3, 9])
    np.testing.assert_array_equal(items.liked, [True, False, True])
    np.testing.assert_array_equal(items.back, [0, 1, 2])


def test_actions_that_are_no_engagement_do_not_count_and_a_negative_one_bars_its_item() -> None:
    items = engaged_items(history((1, DWELL), (2, CLICK), (3, HIDE), (3, LIKED_RATE), (4, CLICK)))
    np.testing.assert_array_equal(items.item_ids, [2, 4])


def test_anchors_stand_first_as_liked() -> None:
    items = engaged_items(history((2, CLICK), (7, CLICK)), np.array([7], np.uint64))
    np.testing.assert_array_equal(items.item_ids, [7, 2])
    np.testing.assert_array_equal(items.liked, [True, False])


def test_weights_fall_with_the_recency_rank() -> None:
    items = engaged_items(history((1, LIKED_RATE), (2, RATE), (3, LIKED_RATE)))
    found = weights(items, Weighting(unliked=0.5, power=1.0))
    np.testing.assert_allclose(found, [1.0, 0.25, 1 / 3], rtol=1e-6)
    assert found.dtype == np.float32


def test_the_tower_reads_known_items_only_and_their_ranks_count_the_unknown_ones() -> None:
    items = engaged_items(history((8, LIKED_RATE), (10, LIKED_RATE), (30, RATE)))
    codes, weight = tower_input(items, Vocabulary(np.array([30, 10], np.uint64)), Weighting(0.5, 1.0))
    np.testing.assert_array_equal(codes, [[2, 1]])
    np.testing.assert_allclose(weight, [[1 / 2, 1 / 6]], rtol=1e-6)
    padded = tower_input(items, Vocabulary(np.array([30, 10], np.uint64)), Weighting(0.5, 1.0), length=3)
    np.testing.assert_array_equal(padded[0], [[2, 1, 0]])
    assert padded[1][0, 2] == 0


def test_a_new_user_is_one_padding_entry_of_no_weight() -> None:
    codes, weight = tower_input(engaged_items(history()), Vocabulary(np.array([1], np.uint64)))
    assert codes.tolist() == [[0]] and weight.tolist() == [[0.0]]


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=20), st.lists(st.integers(0, 2**64 - 1), max_size=10))
def test_a_code_is_the_place_in_the_vocabulary_plus_one(ids: list[int], asked: list[int]) -> None:
    vocabulary = Vocabulary(np.array(ids, np.uint64))
    wanted = [*ids, *asked]
    expected = [ids.index(item) + 1 if item in ids else 0 for item in wanted]
    assert vocabulary.codes(np.array(wanted, np.uint64)).tolist() == expected
