"""The multi-task ranker: examples in, calibrated `NetWeights` with heads engage and satisfied out.

engage: engaged rows against sampled candidates, cross-entropy with logQ, plus a softmax within each pseudo-decision;
of slates, engaged among seen rows, weighted by inverse propensity. satisfied: liked among engaged rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from loopwright.domain.vectors import F32
from loopwright.featurespec.signals import SIGNALS
from loopwright.trainer.dataset.examples import SATISFIED, UNLABELLED, Examples
from loopwright.trainer.learning.network import Net, NetWeights, Standard, standard_logits
from loopwright.trainer.learning.platt import platt
from loopwright.trainer.learning.ranking_batches import RankingBatch, RankingBatches
from loopwright.trainer.learning.ranking_inputs import RankingInputs
from loopwright.trainer.learning.settings import RankerSettings

HEADS = ("engage", "satisfied")
_ENGAGE, _SATISFIED = 0, 1
_GRADIENT_NORM = 5.0
_LAST_RATE = 0.02
_SLATE_RATE = 10.0  # the two scalars of slates learn this much faster than the weights: they have no scale of their own


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained ranker, the mean loss of each tenth of the steps, and its logits float32 [N, H] of the examples."""

    weights: NetWeights
    losses: tuple[float, ...]
    logits: F32


def all_logits(weights: NetWeights, inputs: RankingInputs) -> F32:
    """Return float32 [N, H]: logits of every row at position 1."""
    parts = [standard_logits(weights, chunk) for chunk in inputs.chunks()]
    return np.concatenate([np.zeros((0, weights.skip.shape[1]), np.float32), *parts])


def untrained(width: int) -> NetWeights:
    """Return a ranker that follows the two standardised signals: what there is before any example."""
    skip = np.zeros((width, len(HEADS)), np.float32)
    for name in ("two_tower_z", "co_visitation_z"):
        skip[width - len(SIGNALS) + SIGNALS.index(name), _ENGAGE] = 1.0
    standard = Standard(np.zeros(width, np.float32), np.ones(width, np.float32))
    layers = ((np.zeros((1, width, len(HEADS)), np.float32), np.zeros((1, len(HEADS)), np.float32)),)
    zeros = np.zeros(len(HEADS), np.float32)
    return NetWeights(standard, layers, skip, np.ones(len(HEADS), np.float32), zeros, zeros)


def train_ranker(
    examples: Examples,
    inputs: RankingInputs,
    settings: RankerSettings,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
) -> Trained:
    """Return the trained and calibrated ranker; `untrained` when no example can teach."""
    batches = RankingBatches(examples, settings, seed)
    if not batches.steps:
        return Trained(untrained(inputs.width), (), np.zeros((len(inputs), len(HEADS)), np.float32))
    net = Net(inputs.width, len(HEADS), settings.hidden, settings.members, seed)
    # Of slates only: what position does to engagement, and how often seen rows are engaged against candidates.
    shift = torch.nn.Parameter(torch.zeros(2))
    slow = {"params": list(net.parameters()), "lr": settings.rate}
    fast = {"params": [shift], "lr": settings.rate * _SLATE_RATE, "weight_decay": 0.0}
    optimizer = torch.optim.AdamW([slow, fast], weight_decay=settings.decay, fused=True)
    firsts = [group["lr"] for group in optimizer.param_groups]
    losses: list[float] = []
    for step, batch in enumerate(batches):
        x = torch.from_numpy(inputs.take(batch.rows))
        loss = _loss(net(x, settings.dropout), shift, batch, settings)
        for group, first in zip(optimizer.param_groups, firsts, strict=True):
            group["lr"] = first * (1 + _LAST_RATE - step / batches.steps)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([*net.parameters(), shift], _GRADIENT_NORM)
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % 20 == 0:
            progress(step / batches.steps)
    slope = float(shift[0].detach()) if examples.slates.any() else 0.0
    tenths = tuple(float(np.mean(part)) for part in np.array_split(losses, 10) if len(part))
    raw = net.weights(inputs.standard)
    found = all_logits(raw, inputs)
    weights = _calibrated(raw, found, examples, slope)
    return Trained(weights, tenths, found * weights.slope + weights.bias)


def _loss(out: Tensor, shift: Tensor, batch: RankingBatch, settings: RankerSettings) -> Tensor:
    labels, weights = torch.from_numpy(batch.labels.astype(np.int64)), torch.from_numpy(batch.weights)
    slates, log_rate = torch.from_numpy(batch.slates), torch.from_numpy(batch.log_rate)
    engaged = labels > UNLABELLED
    seen_at = slates * (shift[0] * torch.from_numpy(batch.log_positions) + shift[1])
    engage, satisfied = out[..., _ENGAGE] + seen_at, out[..., _SATISFIED]
    y = engaged.float()
    # A drawn negative stands for 1 / rate of its like, so the head is P(engage) over all candidates.
    stands_for = torch.exp(-log_rate) * weights
    each = F.binary_cross_entropy_with_logits(engage, y.expand_as(engage), reduction="none")
    loss = (each * stands_for).sum(1).mean() / stands_for.sum()
    if not bool(slates.all()):
        loss = loss + settings.list_weight * _list_loss(engage, labels, batch, settings.like_gain)
    if bool(engaged.any()):
        liked = (labels[engaged] == SATISFIED).float()
        each = F.binary_cross_entropy_with_logits(
            satisfied[:, engaged], liked.expand_as(satisfied[:, engaged]), reduction="none"
        )
        of_engaged = weights[engaged]
        loss = loss + settings.satisfied_weight * (each * of_engaged).sum(1).mean() / of_engaged.sum()
    return loss


def _list_loss(engage: Tensor, labels: Tensor, batch: RankingBatch, like_gain: float) -> Tensor:
    """Softmax within each pseudo-decision with logQ; a decision's gains are divided by the root of their sum."""
    open_ = torch.from_numpy(np.flatnonzero(~batch.slates))
    scores, labels = engage[:, open_], labels[open_]
    place, log_rate = torch.from_numpy(batch.places)[open_], torch.from_numpy(batch.log_rate)[open_]
    gain = (labels > UNLABELLED) * (1 + like_gain * (labels == SATISFIED).float())
    z = scores - log_rate
    lowest = torch.full((len(scores), batch.size), -1e9)
    top = lowest.scatter_reduce(1, place.expand_as(z), z.detach(), "amax")
    mass = torch.zeros(len(scores), batch.size).index_add(1, place, torch.exp(z - top[:, place]))
    log_p = scores - top[:, place] - torch.log(mass[:, place])
    size = torch.zeros(batch.size).index_add(0, place, gain).clamp(min=1e-6).sqrt()
    # By pseudo-decision: slates in the batch must not dilute it.
    return -(gain / size[place] * log_p).sum(1).mean() / batch.pseudo


def _calibrated(raw: NetWeights, found: F32, examples: Examples, slope: float) -> NetWeights:
    """Calibrate both heads on the pseudo-decisions; on slates when there are no others."""
    slate = examples.slates[examples.decisions]
    judged = ~slate if not slate.all() else slate
    engaged = examples.labels > UNLABELLED
    engage = platt(found[judged, _ENGAGE], engaged[judged], examples.weights[judged])
    satisfied = platt(found[engaged, _SATISFIED], examples.labels[engaged] == SATISFIED, examples.weights[engaged])
    slopes, biases = (np.array(pair, np.float32) for pair in zip(engage, satisfied, strict=True))
    return replace(raw.calibrated(slopes, biases), position=np.array([slope * engage[0], 0.0], np.float32))
