import numpy as np

from loopwright.trainer.dataset.examples import examples, pseudo_decision
from loopwright.trainer.learning.ranking_inputs import RankingInputs


def test_inputs_are_standardised_over_rows_users_counted_once_a_row() -> None:
    generator = np.random.default_rng(0)
    decisions = [
        pseudo_decision(
            np.array([value], np.float16),
            generator.normal(5, 2, (count, 2)).astype(np.float16),
            generator.normal(-1, 3, (count, 1)).astype(np.float32),
            np.zeros(count, np.uint8),
        )
        for value, count in ((1.0, 10), (4.0, 30))
    ]
    inputs = RankingInputs(examples(decisions, (1, 2, 1)))
    rows = inputs.take(np.arange(40))
    assert rows.shape == (40, 4)
    assert np.allclose(rows.mean(axis=0), 0, atol=1e-3)
    assert np.allclose(rows.std(axis=0), 1, atol=1e-3)
    assert inputs.standard.mean[0] == np.float32(3.25)
    assert np.concatenate(list(inputs.chunks())).tobytes() == rows.tobytes()


def test_no_rows_are_no_trouble() -> None:
    inputs = RankingInputs(examples([], (1, 2, 1)))
    assert len(inputs) == 0
    assert inputs.width == 4
    assert list(inputs.chunks()) == []
