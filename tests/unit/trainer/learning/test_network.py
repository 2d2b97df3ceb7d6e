import numpy as np
import torch

from loopwright.trainer.learning.network import CLIP, Net, Standard, log_sigmoid, logits, standard_logits


def test_an_input_that_did_not_vary_has_no_weight_however_it_varies_later() -> None:
    standard = Standard.of(np.array([3.0, 0.0]), np.array([0.0, 4.0]))
    assert standard.apply(np.array([[60_000.0, 2.0]], np.float32)).tolist() == [[0.0, 1.0]]


def test_inputs_are_cut_at_six_deviations() -> None:
    standard = Standard.of(np.zeros(1), np.ones(1))
    assert standard.apply(np.array([[60_000.0], [-60_000.0]], np.float32)).tolist() == [[CLIP], [-CLIP]]


def test_the_exported_arithmetic_is_that_of_training() -> None:
    net = Net(5, 2, (4, 3), members=3, seed=1)
    torch.nn.init.normal_(net.skip, generator=torch.Generator().manual_seed(2))
    x = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    weights = net.weights(Standard.of(np.zeros(5), np.ones(5)))
    with torch.no_grad():
        wanted = net(torch.from_numpy(x)).mean(0).numpy()
    assert np.allclose(standard_logits(weights, x), wanted, atol=1e-6)
    assert np.allclose(logits(weights, x), wanted, atol=1e-6)


def test_dropout_keeps_the_expectation() -> None:
    net = Net(1, 1, (4,), members=1, seed=1)
    kept = net._kept(torch.Size((200, 500)), 0.2).numpy()
    assert abs(kept.mean() - 1) < 0.01
    assert abs((kept == 0).mean() - 0.2) < 0.01


def test_log_sigmoid_is_finite_at_the_far_ends() -> None:
    found = log_sigmoid(np.array([-80.0, 0.0, 80.0], np.float32))
    assert np.allclose(found, [-80.0, -np.log(2), 0.0])
    assert found.dtype == np.float32
