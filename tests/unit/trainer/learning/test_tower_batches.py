import numpy as np
import pytest

from loopwright.trainer.learning.histories import Histories
from loopwright.trainer.learning.settings import TowerSettings
from loopwright.trainer.learning.tower_batches import TowerBatches


def made(users: int, items: int, each: int) -> tuple[Histories, np.ndarray]:
    generator = np.random.default_rng(3)
    codes = np.concatenate([generator.choice(items, each, replace=False) for _ in range(users)])
    starts = np.arange(users + 1, dtype=np.int64) * each
    owner = np.repeat(np.arange(users), each)
    return Histories(owner, codes.astype(np.uint64), generator.random(len(codes)) < 0.5, starts), codes


def batches(users: int = 12, items: int = 60, each: int = 5, **settings: int) -> TowerBatches:
    rows, codes = made(users, items, each)
    return TowerBatches(rows, codes, items, TowerSettings(**settings), seed=1)  # type: ignore[arg-type]


def test_with_every_item_a_negative_nothing_is_corrected() -> None:
    found = batches(full_softmax=60)
    assert (found.log_probability == 0).all()
    assert found.draw().items.tolist() == list(range(60))


def test_log_q_is_the_probability_of_standing_in_a_batch() -> None:
    found = batches(batch=4, full_softmax=15)
    counts = np.zeros(60)
    draws = 4000
    for _ in range(draws):
        counts[found.draw().items] += 1
    wanted = np.exp(found.log_probability)
    error = np.sqrt(wanted * (1 - wanted) / draws)
    # users come without replacement, so in-batch items are a little less likely than the formula says
    assert np.abs(counts / draws - wanted).max() < 5 * error.max() + 0.03
    assert wanted.min() == pytest.approx(0.25, abs=1e-6)
    assert wanted.max() > 0.5


def test_an_item_of_the_history_is_never_a_negative_nor_a_target() -> None:
    found = batches(full_softmax=15, batch=4)
    for _ in range(50):
        batch = found.draw()
        hidden = batch.offset < -1e8
        assert (batch.target[hidden] == 0).all()
        assert hidden[batch.history > 0].all()
        assert (np.abs(batch.offset[~hidden]) < 20).all()


def test_equal_seeds_draw_equal_batches() -> None:
    one, two = batches(), batches()
    for _ in range(5):
        left, right = one.draw(), two.draw()
        assert left.history.tobytes() == right.history.tobytes()
        assert left.target.tobytes() == right.target.tobytes()


@pytest.mark.parametrize(("users", "items", "each"), [(1, 5, 1), (3, 1, 1)])
def test_nobody_with_two_items_means_no_steps(users: int, items: int, each: int) -> None:
    assert batches(users, items, each).steps == 0
