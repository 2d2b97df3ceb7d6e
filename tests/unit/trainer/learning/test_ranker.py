from dataclasses import replace

import numpy as np

from loopwright.featurespec.signals import SIGNALS
from loopwright.trainer.dataset.examples import Decision, Examples, examples
from loopwright.trainer.learning.network import standard_logits
from loopwright.trainer.learning.ranker import train_ranker
from loopwright.trainer.learning.ranking_inputs import RankingInputs
from loopwright.trainer.learning.settings import RankerSettings

SETTINGS = RankerSettings(hidden=(8,), members=2, negatives=10, epochs=8, batch=16, rate=1e-2, dropout=0.0)


def world(
    decisions: int, rows: int, slate: bool = False, *, position_effect: float = 0.0, seed: int = 0
) -> list[Decision]:
    """Rows whose engagement follows the first signal, and, in slates, the logarithm of the position."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(decisions):
        signals = generator.normal(size=(rows, len(SIGNALS))).astype(np.float32)
        positions = np.arange(1, rows + 1, dtype=np.float32) if slate else np.ones(rows, np.float32)
        logit = 2 * signals[:, 0] - 1 + position_effect * np.log(positions)
        labels = (generator.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.uint8)
        labels[(labels == 1) & (signals[:, 1] > 0)] = 2
        columns = np.zeros((rows, 1), np.float16)
        ones = np.ones(rows, np.float32)
        found.append(Decision(np.zeros(1, np.float16), columns, signals, labels, ones, positions, slate))
    return found


def made(decisions: list[Decision]) -> tuple[Examples, RankingInputs]:
    found = examples(decisions, (1, 1, len(SIGNALS)))
    return found, RankingInputs(found)


def test_heads_learn_what_they_are_for() -> None:
    found, inputs = made(world(60, 20))
    trained = train_ranker(found, inputs, replace(SETTINGS, epochs=15), seed=1)
    engaged = found.labels > 0
    assert np.corrcoef(trained.logits[:, 0], found.signals[:, 0])[0, 1] > 0.9
    liked = found.labels[engaged] == 2
    assert trained.logits[engaged, 1][liked].mean() > trained.logits[engaged, 1][~liked].mean() + 1
    assert abs((1 / (1 + np.exp(-trained.logits[:, 0]))).mean() - engaged.mean()) < 0.03


def test_position_counts_for_nothing_without_slates() -> None:
    trained = train_ranker(*made(world(30, 10)), SETTINGS, seed=1)
    assert trained.weights.position.tolist() == [0.0, 0.0]


def test_slates_teach_what_position_does_to_engagement() -> None:
    slates = world(250, 10, slate=True, position_effect=-1.5, seed=1)
    trained = train_ranker(*made(world(60, 20) + slates), replace(SETTINGS, epochs=20), seed=1)
    assert -2.5 < trained.weights.position[0] < -0.7
    assert trained.weights.position[1] == 0.0


def test_inverse_propensities_move_the_ranker() -> None:
    plain = world(40, 10, slate=True)
    heavy = [replace(d, weights=np.where(d.labels > 0, 10, 0.5).astype(np.float32)) for d in plain]
    one = train_ranker(*made(plain), SETTINGS, seed=1)
    two = train_ranker(*made(heavy), SETTINGS, seed=1)
    assert two.logits[:, 0].mean() > one.logits[:, 0].mean() + 0.5


def test_without_examples_the_ranker_follows_the_signals() -> None:
    found, inputs = made([])
    trained = train_ranker(found, inputs, SETTINGS, seed=1)
    rows = np.zeros((2, inputs.width), np.float32)
    rows[1, 2 + SIGNALS.index("two_tower_z")] = 2.0
    low, high = standard_logits(trained.weights, rows)[:, 0]
    assert high > low
