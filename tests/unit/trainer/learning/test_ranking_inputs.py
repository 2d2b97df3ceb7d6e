from dataclasses import replace

import numpy as np

from loopwright.trainer.dataset.examples import Decision, examples, pseudo_decision
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


def test_a_column_that_only_slates_vary_in_has_no_weight() -> None:
    generator = np.random.default_rng(1)

    def decision(slate: bool) -> Decision:
        columns = generator.normal(size=(8, 2)).astype(np.float16)
        columns[:, 1] = generator.normal(size=8) if slate else 0
        made = pseudo_decision(np.zeros(1, np.float16), columns, np.zeros((8, 1), np.float32), np.zeros(8, np.uint8))
        return replace(made, slate=slate)

    inputs = RankingInputs(examples([decision(False), decision(True), decision(False)], (1, 2, 1)))
    assert inputs.standard.scale[1] > 0
    assert inputs.standard.scale[2] == 0
    alone = RankingInputs(examples([decision(True)], (1, 2, 1)))
    assert alone.standard.scale[2] > 0


def test_no_rows_are_no_trouble() -> None:
    inputs = RankingInputs(examples([], (1, 2, 1)))
    assert len(inputs) == 0
    assert inputs.width == 4
    assert list(inputs.chunks()) == []
