from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.simulator.world import Rules, World

TASTES = {"ann": {"i1": 5.0, "i3": 3.0}, "bob": {"i2": 4.0}, "cid": {}}
ITEMS = [f"i{n}" for n in range(1, 21)]


def test_every_user_visits_once_a_round_in_the_same_order() -> None:
    world = World(TASTES, 1)
    rounds = [[world.visit(turn * 3 + place).user_id for place in range(3)] for turn in range(3)]
    assert sorted(rounds[0]) == sorted(TASTES)
    assert rounds[0] == rounds[1] == rounds[2]


def test_a_visit_is_the_same_request_each_time_and_no_other_visits_request() -> None:
    ids = {World(TASTES, 1).visit(number).request_id for number in range(50)}
    assert ids == {World(TASTES, 1).visit(number).request_id for number in range(50)}
    assert len(ids) == 50
    assert World(TASTES, 2).visit(0).request_id not in ids


@given(st.integers(0, 5000), st.integers(0, 2**63), st.integers(0, 40))
def test_only_viewed_items_of_the_users_tastes_are_clicked_and_only_clicked_ones_liked(
    number: int, seed: int, length: int
) -> None:
    world = World(TASTES, seed)
    visit, items = world.visit(number), [f"i{n}" for n in range(length)]
    reaction = world.reaction(visit, items)
    tastes = TASTES[visit.user_id]
    assert reaction.viewed <= length
    assert (reaction.viewed >= 1) == bool(items)
    assert reaction.clicked == tuple(p for p in range(reaction.viewed) if items[p] in tastes)
    assert reaction.liked == tuple(p for p in reaction.clicked if tastes[items[p]] >= 4.0)


def test_the_depth_of_the_view_is_geometric_and_cut_at_the_slate() -> None:
    world, runs, deepest = World(TASTES, 7), 4000, len(ITEMS)
    depths = Counter(world.reaction(world.visit(n), ITEMS).viewed for n in range(runs))
    for depth in range(1, deepest + 1):
        expected = 0.9 ** (depth - 1) * (0.1 if depth < deepest else 1.0)
        assert abs(depths[depth] / runs - expected) < 5 * math.sqrt(expected * (1 - expected) / runs)


def test_another_like_bar_likes_other_items() -> None:
    tastes = {"ann": {"i1": 2.0}}
    lenient, strict = World(tastes, 1, Rules(like_at=2.0)), World(tastes, 1, Rules(like_at=3.0))
    assert lenient.reaction(lenient.visit(0), ["i1"]).liked == (0,)
    assert strict.reaction(strict.visit(0), ["i1"]).liked == ()


@pytest.mark.parametrize("continuation", [0.0, 1.0, 1.5])
def test_a_continuation_that_is_no_proper_probability_is_refused(continuation: float) -> None:
    with pytest.raises(ValueError, match="continuation"):
        World(TASTES, 1, Rules(continuation=continuation))


def test_a_world_without_users_is_refused() -> None:
    with pytest.raises(ValueError, match="user"):
        World({}, 1)
