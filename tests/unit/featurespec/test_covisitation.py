import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.domain.enums import ActionKind
from loopwright.featurespec.covisitation import (
    Engagements,
    GraphSettings,
    Pairs,
    build_graph,
    graph_scores,
    scores_of,
)

ACTIONS = st.tuples(
    st.integers(0, 5).map(lambda n: bytes([n]) * 16),
    st.integers(1, 7),
    st.sampled_from([ActionKind.CLICK, ActionKind.RATE, ActionKind.LIKE, ActionKind.HIDE, ActionKind.DWELL]),
    st.booleans(),
)


def graph_of(actions: list[tuple[bytes, int, ActionKind, bool]], settings: GraphSettings = GraphSettings()):  # type: ignore[no-untyped-def]  # noqa: B008
    engagements = Engagements()
    for action in actions:
        engagements.add(*action)
    return build_graph(engagements.snapshot(), settings)


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=40), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_give_the_same_graph(actions, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = [*actions, *random.sample(actions, len(actions) // 2)]
    random.shuffle(shuffled)
    settings = GraphSettings(supporters=2)
    assert graph_of(shuffled, settings).digest() == graph_of(actions, settings).digest()


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=40))
def test_scores_are_the_sums_of_cosines_of_strengths(actions) -> None:  # type: ignore[no-untyped-def]
    engagements = Engagements()
    for action in actions:
        engagements.add(*action)
    pairs = engagements.snapshot()
    graph = build_graph(pairs)
    ids, columns = np.unique(pairs.item_ids, return_inverse=True)
    matrix = np.zeros((int(pairs.users.max(initial=-1)) + 1, len(ids)))
    matrix[pairs.users, columns] = np.where(pairs.liked, 1.0, 0.3)
    norms = np.sqrt((matrix**2).sum(0))
    cosine = (matrix.T @ matrix) / np.maximum(np.outer(norms, norms), 1e-12)
    np.fill_diagonal(cosine, 0)
    history, weights = ids[::-1][:3], np.array([1.0, 0.5, 0.25], np.float32)[: len(ids)]
    liked = np.arange(len(history)) % 2 == 0
    places = np.searchsorted(ids, history)
    found = graph_scores(graph, history, weights, liked)
    contributions = cosine[places] * weights[:, None]
    np.testing.assert_array_equal(graph.item_ids, ids)
    found = scores_of(found, ids)
    np.testing.assert_allclose(found.total, contributions.sum(0), atol=1e-6)
    np.testing.assert_allclose(found.flat, cosine[places][liked].sum(0), atol=1e-6)
    np.testing.assert_allclose(found.best, contributions.max(0, initial=0), atol=1e-6)


def test_only_the_nearest_support_an_item_and_ties_go_to_the_lower_id() -> None:
    users = [bytes([n]) * 16 for n in range(2)]
    actions = [(user, item, ActionKind.LIKE, True) for user in users for item in (1, 2, 3, 4)]
    graph = graph_of(actions, GraphSettings(supporters=2))
    supports = {
        int(graph.item_ids[row]): graph.item_ids[graph.targets[graph.starts[row] : graph.starts[row + 1]]].tolist()
        for row in range(4)
    }
    assert supports == {1: [2, 3, 4], 2: [1, 3, 4], 3: [1, 2], 4: []}


def test_a_negative_action_takes_the_pair_out_whenever_it_comes() -> None:
    like, hide = (b"u" * 16, 1, ActionKind.LIKE, True), (b"u" * 16, 1, ActionKind.HIDE, False)
    for actions in ([like, hide], [hide, like]):
        engagements = Engagements()
        for action in actions:
            engagements.add(*action)
        assert len(engagements.snapshot().users) == 0


def test_a_change_is_told_apart_from_a_repetition() -> None:
    engagements = Engagements()
    assert engagements.add(b"u" * 16, 1, ActionKind.CLICK, False)
    assert not engagements.add(b"u" * 16, 1, ActionKind.CLICK, False)
    assert engagements.add(b"u" * 16, 1, ActionKind.CLICK, True)
    assert not engagements.add(b"u" * 16, 2, ActionKind.DWELL, False)


def test_a_user_who_touched_everything_counts_with_a_bounded_part() -> None:
    pairs = Pairs(np.zeros(50, np.int64), np.arange(1, 51, dtype=np.uint64), np.ones(50, np.bool_))
    graph = build_graph(pairs, GraphSettings(max_user_items=5))
    np.testing.assert_array_equal(graph.item_ids, [1, 2, 3, 4, 5])


@pytest.mark.parametrize("pairs", [[], [(b"u" * 16, 1, ActionKind.LIKE, True)]])
def test_a_graph_without_edges_scores_nothing(pairs) -> None:  # type: ignore[no-untyped-def]
    graph = graph_of(pairs)
    scores = graph_scores(graph, np.array([1], np.uint64), np.ones(1, np.float32), np.ones(1, np.bool_))
    asked = scores_of(scores, np.array([1, 2], np.uint64))
    assert asked.total.tolist() == asked.best.tolist() == asked.flat.tolist() == [0, 0]
