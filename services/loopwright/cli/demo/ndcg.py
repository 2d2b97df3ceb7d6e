"""NDCG@10 on likes, its standard error, and the paired difference of two runs over the same users; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

DEPTH = 10


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over users with its standard error, the sample's standard deviation over the root of their number."""

    value: float
    error: float
    users: int

    def document(self) -> dict[str, float | int | None]:
        """Return it for JSON, which knows no NaN."""
        return {
            "ndcg_at_10": None if math.isnan(self.value) else self.value,
            "standard_error": None if math.isnan(self.error) else self.error,
            "users": self.users,
        }


def ndcg(ranked: Sequence[str], positives: frozenset[str]) -> float:
    """Return binary NDCG@10; the ideal list holds min(10, positives) of them first.

    Raises:
        ValueError: There is no positive, so nothing can be judged.
    """
    if not positives:
        raise ValueError("NDCG needs at least one positive")
    gain = sum(_discount(place) for place, item in enumerate(ranked[:DEPTH]) if item in positives)
    return gain / sum(_discount(place) for place in range(min(DEPTH, len(positives))))


def _discount(place: int) -> float:
    return 1.0 / math.log2(place + 2)


def per_user(
    lists: Mapping[str, Sequence[str]], positives: Mapping[str, frozenset[str]]
) -> dict[str, float]:  # fmt: skip
    """Return user -> NDCG@10 of those with a list and a positive."""
    return {user: ndcg(ranked, positives[user]) for user, ranked in lists.items() if positives.get(user)}


def mean(values: Mapping[str, float]) -> Mean:
    """Return the mean over users; NaN without any, and an error of NaN with one."""
    sample = np.array(list(values.values()), dtype=np.float64)
    count = len(sample)
    value = float(sample.mean()) if count else math.nan
    error = float(sample.std(ddof=1) / math.sqrt(count)) if count > 1 else math.nan
    return Mean(value, error, count)


def paired(before: Mapping[str, float], after: Mapping[str, float]) -> Mean:
    """Return the mean difference, after less before, over the users that both have."""
    return mean({user: after[user] - before[user] for user in before if user in after})
