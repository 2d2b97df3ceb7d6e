import pytest
from tests.unit.policy.slate.conftest import bundle_of, falling, query_of

from loopwright.domain.enums import Exploration
from loopwright.policy.slate.constraints.explore_slot import draw_explore, explore_position


@pytest.mark.parametrize(
    ("slot", "k", "length", "exploration", "expected"),
    [
        (5, 10, 10, Exploration.BUNDLE, 5),
        (5, 10, 5, Exploration.BUNDLE, 5),
        (5, 10, 4, Exploration.BUNDLE, 0),
        (3, 4, 4, Exploration.BUNDLE, 0),
        (0, 10, 10, Exploration.BUNDLE, 0),
        (5, 10, 10, Exploration.OFF, 0),
    ],
)
def test_there_is_a_slot_only_where_one_is_allowed_and_fits(
    slot: int, k: int, length: int, exploration: Exploration, expected: int
) -> None:
    query = query_of(falling(10), k=k, exploration=exploration)
    assert explore_position(bundle_of(slot=slot), query, length) == expected


def test_every_entry_of_the_pool_is_drawn_by_some_seed() -> None:
    assert {draw_explore(seed, 7) for seed in range(200)} == set(range(7))
