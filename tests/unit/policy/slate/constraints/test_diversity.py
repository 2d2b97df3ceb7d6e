import numpy as np
from tests.unit.policy.slate.conftest import bundle_of, query_of

from loopwright.policy.slate.constraints import Diversity
from loopwright.policy.slate.pool import make_pool

OPEN = np.zeros(3, dtype=np.bool_)


def diversity_of(mmr_lambda: float, utilities: list[float], content: list[list[float]]) -> Diversity:
    bundle, query = bundle_of(mmr_lambda=mmr_lambda), query_of(utilities, content=content)
    pool, _ = make_pool(bundle, query, query.guards)
    return Diversity(bundle, pool)


def test_the_second_choice_is_unlike_the_first() -> None:
    stage = diversity_of(0.5, [1.0, 0.9, 0.5], [[1, 0], [1, 0], [0, 1]])
    assert stage.choose(OPEN) == 0
    stage.chose(0)
    assert stage.choose(np.array([True, False, False])) == 2


def test_lambda_one_is_the_order_by_utility() -> None:
    stage = diversity_of(1.0, [1.0, 0.9, 0.5], [[1, 0], [1, 0], [0, 1]])
    stage.chose(0)
    assert stage.choose(np.array([True, False, False])) == 1


def test_equal_scores_go_to_the_lower_item_id() -> None:
    stage = diversity_of(0.5, [0.5, 0.5, 0.5], [[1, 0], [0, 1], [0, 1]])
    stage.chose(0)
    assert stage.choose(np.array([True, False, False])) == 1


def test_the_scale_of_utilities_does_not_matter() -> None:
    for scale in (1.0, 128.0):
        stage = diversity_of(0.7, [1.0 * scale, 0.75 * scale, 0.5 * scale], [[1, 0], [1, 0], [0, 1]])
        stage.chose(0)
        assert stage.choose(np.array([True, False, False])) == 1


def test_likeness_counts_the_nearest_chosen_item() -> None:
    stage = diversity_of(0.0, [1.0, 0.9, 0.8], [[1, 0], [0.5, 0.5], [0, 0.25]])
    stage.chose(0)
    stage.chose(1)
    assert stage.choose(np.array([True, True, False])) == 2
