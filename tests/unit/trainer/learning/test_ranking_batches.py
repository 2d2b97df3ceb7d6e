import numpy as np
import pytest

from loopwright.trainer.dataset.examples import Decision, Examples, examples, pseudo_decision
from loopwright.trainer.learning.ranking_batches import RankingBatches
from loopwright.trainer.learning.settings import RankerSettings


def decision(labels: list[int], slate: bool = False) -> Decision:
    n = len(labels)
    made = pseudo_decision(
        np.zeros(1, np.float16), np.zeros((n, 1), np.float16), np.zeros((n, 1), np.float32), np.array(labels, np.uint8)
    )
    if not slate:
        return made
    weights, positions = np.full(n, 2.0, np.float32), np.arange(1, n + 1, dtype=np.float32)
    return Decision(made.user_columns, made.item_columns, made.signals, made.labels, weights, positions, True)


def found(*decisions: Decision) -> Examples:
    return examples(decisions, (1, 1, 1))


def test_drawn_negatives_carry_the_log_of_their_rate_and_stand_for_all() -> None:
    batches = RankingBatches(found(decision([1, 2] + [0] * 20)), RankerSettings(negatives=5, epochs=3), seed=1)
    for batch in batches:
        assert batch.labels.tolist() == [1, 2, 0, 0, 0, 0, 0]
        assert batch.log_rate.tolist() == pytest.approx([0, 0, *[np.log(5 / 20)] * 5])
        assert np.exp(-batch.log_rate[2:]).sum() == pytest.approx(20)
        assert len(set(batch.rows.tolist())) == 7


def test_seen_rows_of_slates_are_all_taken_with_weight_and_position() -> None:
    batches = RankingBatches(found(decision([0, 1, 0, 0], slate=True)), RankerSettings(negatives=1, epochs=1), seed=1)
    (batch,) = list(batches)
    assert batch.labels.tolist() == [0, 1, 0, 0]
    assert batch.log_rate.tolist() == [0, 0, 0, 0]
    assert batch.weights.tolist() == [2, 2, 2, 2]
    assert batch.log_positions.tolist() == pytest.approx(np.log([1, 2, 3, 4]))
    assert batch.slates.all()


def test_a_slate_without_engagement_teaches_and_a_pseudo_decision_without_does_not() -> None:
    batches = RankingBatches(found(decision([0, 0]), decision([0, 0], slate=True)), RankerSettings(epochs=1), seed=1)
    (batch,) = list(batches)
    assert batches.steps == 1
    assert batch.rows.tolist() == [2, 3]


def test_nothing_to_learn_from_means_no_steps() -> None:
    assert RankingBatches(found(decision([0, 0])), RankerSettings(), seed=1).steps == 0
