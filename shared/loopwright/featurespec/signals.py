"""Retrieval signals: what retrieval measures for every candidate, whoever proposed it, and the rankers read.

Retrieval computes them at serving time and the trainer for its examples, column by column alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import F32, F64
from loopwright.featurespec.covisitation import GraphScores
from loopwright.featurespec.fusion import log_share

SIGNALS: tuple[str, ...] = (
    "two_tower",
    "two_tower_cosine",
    "co_visitation",
    "co_visitation_flat",
    "co_visitation_best",
    "two_tower_z",
    "co_visitation_z",
    "fused_log_share",
)
"""Names of the signal columns, in order; the two `_z` are standardised over the candidates of one decision."""

_SPREAD_FLOOR = 1e-3
_NORM_FLOOR = 1e-9


def squared_lengths(embeddings: F32) -> F64:
    """Return float64 [c]: squared length of each embedding, float32 [c, d]."""
    return np.asarray((embeddings.astype(np.float64) ** 2).sum(axis=1))


@dataclass(frozen=True, slots=True)
class TowerProducts:
    """How items stand to one user in the two-tower space.

    Attributes:
        dots: float64 [c], inner product of the user's embedding with each item's.
        squares: float64 [c], squared length of each item's embedding.
        user_square: squared length of the user's embedding.
    """

    dots: F64
    squares: F64
    user_square: float

    @property
    def scores(self) -> F32:
        """The inner products as items are ordered by them, float32 [c]."""
        return self.dots.astype(np.float32)


def tower_products(user_embedding: F32, item_embeddings: F32, item_squares: F64 | None = None) -> TowerProducts:
    """Return the products of one user, float32 [d], with items, float32 [c, d]; rows of zeros are items without any.

    Summed in float64, row by row, so that an item's score depends neither on the batch nor on where it is stored.

    Args:
        user_embedding: The user.
        item_embeddings: The items.
        item_squares: float64 [c], `squared_lengths` of the items, when the caller has them.
    """
    squares = squared_lengths(item_embeddings) if item_squares is None else item_squares
    user_square = float(squared_lengths(user_embedding[None])[0])
    return TowerProducts(_dots(user_embedding, item_embeddings), squares, user_square)


def candidate_signals(
    towers: TowerProducts | None, graph: GraphScores | None, fused: F32, weights: Sequence[float]
) -> F32:
    """Return float32 [c, K]: the signals of one decision's candidates in the order of `SIGNALS`.

    Args:
        towers: Two-tower products of the candidates; None without a two-tower model (its columns are then 0).
        graph: Co-visitation scores of the candidates; None when the graph did not answer (0).
        fused: float32 [c], fused scores of the candidates.
        weights: Weights of the planned sources.
    """
    columns = np.zeros((len(fused), len(SIGNALS)), dtype=np.float32)
    columns[:, 7] = log_share(fused, weights)
    if towers is not None:
        columns[:, 0] = towers.dots
        columns[:, 1] = towers.dots / (np.sqrt(towers.user_square * towers.squares) + _NORM_FLOOR)
        columns[:, 5] = _standardised(columns[:, 0].astype(np.float64))
    if graph is not None:
        columns[:, 2] = graph.total
        columns[:, 3] = graph.flat
        columns[:, 4] = graph.best
        columns[:, 6] = _standardised(np.log1p(graph.total.astype(np.float64)))
    return columns


def _dots(user: F32, items: F32) -> F64:
    return np.asarray(np.multiply(items, user, dtype=np.float64).sum(axis=1))


def _standardised(values: F64) -> F64:
    if not len(values):
        return values
    centred = values - values.mean()
    return np.asarray(centred / (np.sqrt((centred * centred).mean()) + _SPREAD_FLOOR))
