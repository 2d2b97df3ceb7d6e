"""`best_rows`: the pre-rank cut, the same at serving, in the gate of training and in verification."""

from __future__ import annotations

import numpy as np

from loopwright.domain.vectors import F32, U32, U64


def best_rows(pre_scores: F32, item_ids: U64, best_n: int) -> U32:
    """Return uint32 [min(N, n)]: the rows with the best pre-rank scores, best first, ties by item id.

    Args:
        pre_scores: float32 [n], higher is better.
        item_ids: uint64 [n].
        best_n: N, the bundle's `ranking.best_n`.
    """
    order = np.argsort(-pre_scores)
    ordered = pre_scores[order]
    if (ordered[1:] == ordered[:-1]).any():
        order = np.lexsort((item_ids, -pre_scores))
    return order[:best_n].astype(np.uint32)
