"""Weighted reciprocal rank fusion: ranks of the sources in, one score a candidate out.

Retrieval orders by it; the trainer fuses its pseudo-decisions alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.vectors import F32

RANK_CONSTANT = 20.0
"""`k` of reciprocal rank fusion (Cormack et al. 2009 took 60); 20 was best on validation NDCG@10 of `user80`."""


def fused_scores(ranks: NDArray[np.uint16], weights: Sequence[float]) -> F32:
    """Return float32 [n]: the sum over sources of `weight / (RANK_CONSTANT + rank)`.

    Args:
        ranks: uint16 [n, S], rank within each source from 1; 0 where it does not propose the candidate.
        weights: [S], weight of each source.
    """
    gain = np.asarray(weights, dtype=np.float64) / (RANK_CONSTANT + ranks.astype(np.float64))
    return np.asarray(np.where(ranks > 0, gain, 0.0).sum(axis=1), dtype=np.float32)


def log_share(fused: F32, weights: Sequence[float]) -> F32:
    """Return float32 [n]: log of the fused score as a share of about the best possible one, at least log 1e-6."""
    total = max(float(sum(weights)), 1e-9)
    share = fused.astype(np.float64) * RANK_CONSTANT / total
    return np.log(np.maximum(share, 1e-6)).astype(np.float32)
