"""The rankers' network in torch and its weights as plain arrays: standardised inputs in, logits out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from loopwright.domain.vectors import F32

CLIP = 6.0
"""Standardised inputs are cut to ±6, so that a value nobody foresaw cannot run away."""
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class Standard:
    """Mean and 1 / standard deviation of each input, float32 [F]; scale 0 for inputs that did not vary."""

    mean: F32
    scale: F32

    @classmethod
    def of(cls, mean: np.ndarray, variance: np.ndarray) -> Standard:
        """Return the standard of moments; an input without spread gets no weight, however it may vary later."""
        spread = np.sqrt(np.maximum(variance, 0.0))
        scale = np.where(spread < _LEAST_SPREAD, 0.0, 1.0 / np.maximum(spread, _LEAST_SPREAD))
        return cls(mean.astype(np.float32), scale.astype(np.float32))

    def part(self, start: int, stop: int) -> Standard:
        """Return the standard of a range of inputs."""
        return Standard(self.mean[start:stop], self.scale[start:stop])

    def apply(self, inputs: F32) -> F32:
        """Return the inputs standardised and cut, float32 [n, F]."""
        return np.asarray(np.clip((inputs - self.mean) * self.scale, -CLIP, CLIP), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class NetWeights:
    """Trained weights of M members with H outputs.

    Attributes:
        standard: Applied to the inputs first.
        layers: Per layer the weights [M, in, out] and the bias [M, out].
        skip: [F, H], one linear path beside the members.
        slope: [H] and `bias` [H]: calibration of the mean logits (Platt scaling).
        position: [H], weight of log(position) in each logit.
    """

    standard: Standard
    layers: tuple[tuple[F32, F32], ...]
    skip: F32
    slope: F32
    bias: F32
    position: F32

    def calibrated(self, slope: F32, bias: F32) -> NetWeights:
        """Return the weights with another calibration."""
        return replace(self, slope=slope, bias=bias)


class Net(torch.nn.Module):
    """M independent networks whose logits are averaged, plus one linear skip."""

    def __init__(self, inputs: int, outputs: int, hidden: tuple[int, ...], members: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        sizes = [inputs, *hidden, outputs]
        self.w = torch.nn.ParameterList(
            torch.nn.Parameter(torch.randn(members, a, b, generator=generator) * (2 / (a + b)) ** 0.5)
            for a, b in pairwise(sizes)
        )
        self.b = torch.nn.ParameterList(torch.nn.Parameter(torch.zeros(members, 1, b)) for b in sizes[1:])
        self.skip = torch.nn.Parameter(torch.zeros(inputs, outputs))
        self._random = np.random.default_rng(seed + 1)

    def forward(self, x: Tensor, dropout: float = 0.0) -> Tensor:
        """Return logits [M, n, H] of standardised inputs [n, F]; each member drops its own units."""
        members, _, wide = self.w[0].shape
        first = x @ self.w[0].permute(1, 0, 2).reshape(x.shape[1], -1)  # one product instead of one a member
        h = first.view(len(x), members, wide).permute(1, 0, 2) + self.b[0]
        for place, (w, b) in enumerate(zip(self.w, self.b, strict=True)):
            if place:
                h = torch.baddbmm(b, h, w)
            if place < len(self.w) - 1:
                h = torch.relu(h)
                if dropout:
                    h = h * self._kept(h.shape, dropout)
        out: Tensor = h + x @ self.skip
        return out

    def _kept(self, shape: torch.Size, dropout: float) -> Tensor:
        """Return 0 for dropped units and 1 / (share kept) for the others; one random byte a unit."""
        least = round(dropout * 256)
        random = np.frombuffer(self._random.bytes(shape.numel()), np.uint8) >= least
        return torch.from_numpy((random * np.float32(256 / (256 - least))).reshape(shape))

    def weights(self, standard: Standard) -> NetWeights:
        """Return the present weights, not calibrated and blind to position."""
        outputs = self.skip.shape[1]
        layers = tuple(
            (w.detach().numpy().copy(), b.detach().numpy()[:, 0].copy()) for w, b in zip(self.w, self.b, strict=True)
        )
        ones, zeros = np.ones(outputs, np.float32), np.zeros(outputs, np.float32)
        return NetWeights(standard, layers, self.skip.detach().numpy().copy(), ones, zeros, zeros)


def standard_logits(weights: NetWeights, inputs: F32, position: float = 1.0) -> F32:
    """Return calibrated logits float32 [n, H] of standardised inputs [n, F], every row at one position."""
    with torch.no_grad():
        x = torch.from_numpy(inputs)
        h = x.expand(len(weights.layers[0][0]), -1, -1)
        for place, (w, b) in enumerate(weights.layers):
            h = torch.baddbmm(torch.from_numpy(b)[:, None], h, torch.from_numpy(w))
            if place < len(weights.layers) - 1:
                h = torch.relu(h)
        out = h.mean(0) + x @ torch.from_numpy(weights.skip)
        shift = weights.bias + weights.position * np.float32(np.log(max(position, 1.0)))
        out = out * torch.from_numpy(weights.slope) + torch.from_numpy(shift)
        found: F32 = out.numpy()
    return found


def logits(weights: NetWeights, inputs: F32, position: float = 1.0) -> F32:
    """Return calibrated logits of raw inputs by torch: the reference that exported graphs are held against."""
    return standard_logits(weights, weights.standard.apply(inputs), position)


def log_sigmoid(logit: F32) -> F32:
    """Return float32 log sigmoid: what the ranker's heads are, so that utilities add up to the log of a product."""
    return -np.logaddexp(np.float32(0), -logit).astype(np.float32)
