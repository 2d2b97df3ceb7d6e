"""Maximal marginal relevance over content vectors (Carbonell and Goldstein, SIGIR 1998), greedy and vectorised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loopwright.bundle import PolicyBundle
from loopwright.pipeline.types import F64
from loopwright.policy.slate.pool import Pool


class Diversity:
    """Chooses the next item of one slate.

    score(i) = λ · relevance(i) - (1 - λ) · max over chosen j of content(i) · content(j), with relevance the
    utility scaled to [0, 1] over the pool so that λ means the same for every ranker. Ties go to the lower item
    id. With λ = 1, and for the first place, the order is that of utility.
    """

    def __init__(self, bundle: PolicyBundle, pool: Pool) -> None:
        """Takes λ from the bundle."""
        self._pool = pool
        self._penalty = 1.0 - bundle.diversity.mmr_lambda
        self._gain: F64 = pool.utility if self._penalty == 0 else bundle.diversity.mmr_lambda * _scaled(pool.utility)
        self._nearest: F64 | None = None
        self._score: F64 = np.empty(len(pool))  # written anew for each place

    def choose(self, closed: NDArray[np.bool_]) -> int:
        """Return the pool index of the best candidate that is not closed; at least one must be open."""
        score = self._score
        if self._nearest is None:
            np.copyto(score, self._gain)
        else:
            np.multiply(self._nearest, self._penalty, out=score)
            np.subtract(self._gain, score, out=score)
        np.copyto(score, -np.inf, where=closed)
        return int(score.argmax())

    def chose(self, index: int) -> None:
        """Takes note that a pool entry is in the slate."""
        if self._penalty == 0:
            return
        likeness = self._pool.content @ self._pool.content[index]
        self._nearest = likeness if self._nearest is None else np.maximum(self._nearest, likeness, out=likeness)


def _scaled(utility: F64) -> F64:
    if not len(utility):
        return utility
    low, high = utility.min(), utility.max()
    return np.zeros_like(utility) if high == low else (utility - low) / (high - low)
