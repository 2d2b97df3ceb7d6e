"""Retrieval signals: what retrieval measures for every candidate, whoever proposed it, and the rankers read.

Retrieval computes them at serving time and the trainer for its examples, column by column alike.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def tower_scores(user_embedding: F32, item_embeddings: F32) -> F32:
    """Return float32 [c]: inner products of one user, float32 [d], with items, float32 [c, d].

    Summed in float64, row by row, so that an item's score depends neither on the batch nor on where it is stored.
    """
    return _dots(user_embedding, item_embeddings).astype(np.float32)


def squared_lengths(embeddings: F32) -> F64:
    """Return float64 [c]: squared length of each embedding, float32 [c, d]."""
    return np.asarray((embeddings.astype(np.float64) ** 2).sum(axis=1))


def candidate_signals(
    user_embedding: F32 | None,
    item_embeddings: F32 | None,
    graph: GraphScores | None,
    fused: F32,
    weights: Sequence[float],
    item_squares: F64 | None = None,
) -> F32:
    """Return float32 [c, K]: the signals of one decision's candidates in the order of `SIGNALS`.

    Args:
        user_embedding: float32 [d]; None without a two-tower model (its columns are then 0).
        item_embeddings: float32 [c, d] of the candidates; a row of zeros where an item has none.
        graph: Co-visitation scores of the candidates; None when the graph did not answer (0).
        fused: float32 [c], fused scores of the candidates.
        weights: Weights of the planned sources.
        item_squares: float64 [c], `squared_lengths` of the embeddings, when the caller has them.
    """
    columns = np.zeros((len(fused), len(SIGNALS)), dtype=np.float32)
    columns[:, 7] = log_share(fused, weights)
    if user_embedding is not None and item_embeddings is not None:
        dots = _dots(user_embedding, item_embeddings)
        squares = squared_lengths(item_embeddings) if item_squares is None else item_squares
        norms = np.sqrt(_dots(user_embedding, user_embedding[None])[0] * squares)
        columns[:, 0] = dots
        columns[:, 1] = dots / (norms + _NORM_FLOOR)
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
    return np.asarray((values - values.mean()) / (np.sqrt(values.var()) + _SPREAD_FLOOR))
