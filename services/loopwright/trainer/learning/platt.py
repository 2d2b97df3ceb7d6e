"""Platt scaling: logits and weighted outcomes in, slope and bias out (Platt 1999, with his smoothed targets)."""

from __future__ import annotations

import numpy as np

from loopwright.domain.vectors import F32, F64, Bools

_LEAST_OUTCOMES = 10.0
_STEPS = 30
_SLOPES = (0.2, 5.0)
_LARGEST_BIAS = 20.0
_RIDGE = 1e-6
_LOGIT_CLIP = 30.0


def platt(logits: F32, outcome: Bools, weights: F32) -> tuple[float, float]:
    """Return slope and bias by Newton's method; (1, 0) with fewer than ten outcomes of either kind.

    Args:
        logits: float32 [n].
        outcome: bool [n].
        weights: float32 [n].
    """
    positive, negative = float(weights[outcome].sum()), float(weights[~outcome].sum())
    if min(positive, negative) < _LEAST_OUTCOMES:
        return 1.0, 0.0
    target = np.where(outcome, (positive + 1) / (positive + 2), 1 / (negative + 2))
    z, weight = logits.astype(np.float64), weights.astype(np.float64)
    slope, bias = 1.0, 0.0
    for _ in range(_STEPS):
        p: F64 = 1 / (1 + np.exp(-np.clip(slope * z + bias, -_LOGIT_CLIP, _LOGIT_CLIP)))
        residual, curvature = weight * (p - target), weight * p * (1 - p)
        gradient = np.array([(residual * z).sum(), residual.sum()])
        mixed = (curvature * z).sum()
        hessian = np.array([[(curvature * z * z).sum(), mixed], [mixed, curvature.sum()]]) + _RIDGE * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        slope = float(np.clip(slope - step[0], *_SLOPES))
        bias = float(np.clip(bias - step[1], -_LARGEST_BIAS, _LARGEST_BIAS))
    return slope, bias
