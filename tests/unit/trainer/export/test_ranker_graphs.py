import numpy as np
import onnxruntime
import pytest
import torch

from loopwright.trainer.export.ranker_graphs import pre_ranker, ranker
from loopwright.trainer.learning.network import Net, NetWeights, Standard, log_sigmoid, logits

WIDTHS = (3, 4, 2)


def weights(outputs: int, position: float = 0.0, hidden: tuple[int, ...] = (6, 5)) -> NetWeights:
    generator = np.random.default_rng(4)
    net = Net(sum(WIDTHS), outputs, hidden, members=3, seed=1)
    torch.nn.init.normal_(net.skip, generator=torch.Generator().manual_seed(2))
    raw = net.weights(Standard.of(generator.normal(size=9), generator.random(9) + 0.1))
    slope, bias = np.full(outputs, 1.3, np.float32), np.linspace(-1, 1, outputs, dtype=np.float32)
    at = np.zeros(outputs, np.float32)
    at[0] = position
    return NetWeights(raw.standard, raw.layers, raw.skip, slope, bias, at)


def run(data: bytes, x: np.ndarray, **more: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    user, item, _ = WIDTHS
    feeds = {
        "user": x[:1, :user].astype(np.float16),
        "items": x[:, user : user + item].astype(np.float16),
        "signals": x[:, user + item :].astype(np.float32),
    }
    (out,) = session.run(None, {**feeds, **more})
    return np.asarray(out)


def inputs(n: int = 9) -> np.ndarray:
    x = np.random.default_rng(0).normal(size=(n, sum(WIDTHS))).astype(np.float16).astype(np.float32)
    x[:, : WIDTHS[0]] = x[0, : WIDTHS[0]]
    return x


@pytest.mark.parametrize("hidden", [(6, 5), (6,), ()])
def test_heads_are_the_log_probabilities_of_torch(hidden: tuple[int, ...]) -> None:
    learned = weights(2, hidden=hidden)
    got = run(ranker(learned, WIDTHS), inputs(), position=np.ones(1, np.float32))
    assert np.abs(got - log_sigmoid(logits(learned, inputs()))).max() < 1e-5
    assert (got < 0).all()


def test_position_moves_engagement_by_its_slope_and_satisfaction_not_at_all() -> None:
    graph = ranker(weights(2, position=-0.7), WIDTHS)
    first, fifth = (run(graph, inputs(), position=np.array([p], np.float32)) for p in (1, 5))
    logit = [np.log(np.expm1(-heads[:, 0]) ** -1) for heads in (first, fifth)]
    assert np.allclose(logit[1] - logit[0], -0.7 * np.log(5), atol=1e-4)
    assert (first[:, 1] == fifth[:, 1]).all()


def test_a_row_scores_alike_in_any_batch() -> None:
    graph = pre_ranker(weights(1), WIDTHS)
    whole = run(graph, inputs())
    assert whole.shape == (9,)
    alone = [run(graph, inputs()[k : k + 1])[0] for k in range(9)]
    assert np.allclose(whole, alone, atol=1e-6)


def test_extreme_columns_stay_finite() -> None:
    graph = ranker(weights(2), WIDTHS)
    for value in (60_000.0, -60_000.0):
        assert np.isfinite(run(graph, np.full((2, 9), value), position=np.ones(1, np.float32))).all()


def test_equal_weights_give_equal_bytes() -> None:
    assert ranker(weights(2), WIDTHS) == ranker(weights(2), WIDTHS)
    assert ranker(weights(2), WIDTHS) != ranker(weights(2, position=0.5), WIDTHS)
