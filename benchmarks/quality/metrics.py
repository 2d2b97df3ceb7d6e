"""NDCG@10 and Recall@20 a user, coverage of a set of lists, and paired differences over users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.quality.baselines import Lists
from benchmarks.quality.split import Split

_DISCOUNTS = 1 / np.log2(np.arange(2, 12))


@dataclass(frozen=True)
class Quality:
    """Figures of one set of lists; `ndcg` and `recall` a user, in the order of `Split.users`."""

    ndcg: np.ndarray
    recall: np.ndarray
    coverage: float
    seen: int


def quality(lists: Lists, data: Split) -> Quality:
    """Return the figures: binary NDCG@10, hits / min(20, likes), share of known items in any first ten, seen items."""
    ndcg, recall, shown, seen = [], [], set(), 0
    for user in data.users:
        ranked, liked = lists[user], data.liked[user]
        hits = np.array([item in liked for item in ranked[:20]], dtype=np.float64)
        first = hits[:10]
        ndcg.append((first * _DISCOUNTS[: len(first)]).sum() / _DISCOUNTS[: min(10, len(liked))].sum())
        recall.append(hits.sum() / min(20, len(liked)))
        shown.update(ranked[:10])
        seen += len(set(ranked) & {row.item for row in data.train[user]})
    return Quality(np.array(ndcg), np.array(recall), len(shown & data.known) / len(data.known), seen)


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
