"""The pre-ranker: a small network distilled from the ranker's utility over the candidates of pseudo-decisions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from loopwright.domain.vectors import F32
from loopwright.trainer.learning.network import Net, NetWeights
from loopwright.trainer.learning.ranking_inputs import RankingInputs
from loopwright.trainer.learning.settings import RankerSettings

_DECAY = 1e-4
_LAST_RATE = 0.02
_LEAST_WEIGHT = 0.02  # beside e^utility: the best candidates count most, the others still a little
_LOWEST_UTILITY = -8.0


def untrained_pre_ranker(ranker: NetWeights, weights: F32) -> NetWeights:
    """Return a pre-ranker that follows the ranker's linear path; what there is before any example."""
    width = len(ranker.skip)
    layers = ((np.zeros((1, width, 1), np.float32), np.zeros((1, 1), np.float32)),)
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    return NetWeights(ranker.standard, layers, (ranker.skip @ weights)[:, None], one, zero, zero)


def distill(
    inputs: RankingInputs,
    utility: F32,
    settings: RankerSettings,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[NetWeights, tuple[float, ...]]:
    """Return the pre-ranker and the mean loss of each tenth of the steps.

    Args:
        inputs: At least one row.
        utility: float32 [N], the ranker's utility of every row.
        settings: How to train.
        seed: Seeds everything random.
        progress: Told the share done.
    """
    generator = np.random.default_rng(seed)
    count = len(utility)
    net = Net(inputs.width, 1, (settings.pre_hidden,), 1, seed)
    optimizer = torch.optim.AdamW(net.parameters(), lr=settings.pre_rate, weight_decay=_DECAY, fused=True)
    steps = settings.pre_epochs * -(-count // settings.pre_batch)
    losses: list[float] = []
    for step in range(steps):
        rows = generator.integers(0, count, min(settings.pre_batch, count))
        x = torch.from_numpy(inputs.take(rows))
        y = torch.from_numpy(utility[rows])[:, None]
        weight = torch.exp(y.clamp(_LOWEST_UTILITY, 0.0)) + _LEAST_WEIGHT
        loss = (weight * (net(x)[0] - y).square()).sum() / weight.sum()
        optimizer.param_groups[0]["lr"] = settings.pre_rate * (1 + _LAST_RATE - step / steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % 50 == 0:
            progress(step / steps)
    tenths = tuple(float(np.mean(part)) for part in np.array_split(losses, 10) if len(part))
    return net.weights(inputs.standard), tenths
