"""The one way sources and merge pick the best: by score, ties by item id, whatever order the rows come in."""

from __future__ import annotations

import numpy as np

from loopwright.domain.vectors import F32, F64, I64, U64


def best(item_ids: U64, scores: F32 | F64, count: int) -> I64:
    """Return int64 [min(count, n)]: places of the highest scores, best first, ties by item id.

    Args:
        item_ids: uint64 [n], distinct.
        scores: [n], finite.
        count: How many are wanted.
    """
    places = np.arange(len(item_ids))
    if (scores[1:] < scores[:-1]).all():  # in order already, and without ties
        return places[:count]
    if count < len(places):
        floor = np.partition(scores, len(scores) - count)[len(scores) - count] if count else np.inf
        places = np.flatnonzero(scores >= floor)
    order = np.lexsort((item_ids[places], -scores[places]))[:count]
    return places[order]
