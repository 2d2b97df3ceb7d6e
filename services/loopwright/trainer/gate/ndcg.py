"""NDCG and paired differences."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from loopwright.domain.vectors import F64, U64


def ndcg(ranked: U64, liked: Collection[int], count: int = 10) -> float:
    """Return binary NDCG at `count` of a list against a non-empty set (Järvelin and Kekäläinen 2002)."""
    discounts = 1 / np.log2(np.arange(2, count + 2))
    hits = np.array([item in liked for item in ranked[:count].tolist()], dtype=np.float64)
    return float((hits * discounts[: len(hits)]).sum() / discounts[: min(count, len(liked))].sum())


def paired(first: F64, second: F64) -> tuple[float, float]:
    """Return mean and standard error of first - second over users; the error of fewer than two users is infinite."""
    difference = first - second
    if len(difference) < 2:
        return float(difference.mean()) if len(difference) else 0.0, float("inf")
    return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))
