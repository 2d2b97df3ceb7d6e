"""`TowerWeights`: trained towers as plain arrays, with the forward pass in numpy for the examples of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import F32, I64
from loopwright.featurespec.history import Vocabulary

NORM_FLOOR = 1e-6
"""Added to the norm of the history's weights, so that an empty history gives a finite embedding."""


@dataclass(frozen=True, slots=True)
class TowerWeights:
    """Float32 arrays; code v of the vocabulary is row v of both tables, code 0 is unknown and its rows are zero.

    Attributes:
        vocabulary: The items trained on.
        history_table: [V + 1, d], id and content of an item as a part of a history.
        user_1: [d, h] and its bias; `user_2` [h, d] likewise.
        id_table: [V + 1, d], id part of an item as a candidate.
        content_1: [W, c] and its bias; `content_2` [c, d] likewise.
    """

    vocabulary: Vocabulary
    history_table: F32
    user_1: F32
    user_bias_1: F32
    user_2: F32
    user_bias_2: F32
    id_table: F32
    content_1: F32
    content_bias_1: F32
    content_2: F32
    content_bias_2: F32

    def embed_user(self, codes: I64, weights: F32) -> F32:
        """Return float32 [d] of codes int64 [1, L] and weights float32 [1, L], as the served model does."""
        weight = np.where(codes[0] > 0, weights[0], np.float32(0))
        norm = np.sqrt((weight * weight).sum(dtype=np.float32)) + np.float32(NORM_FLOOR)
        z: F32 = weight @ self.history_table[codes[0]] / norm
        hidden: F32 = np.tanh(z @ self.user_1 + self.user_bias_1)
        return np.asarray(z + hidden @ self.user_2 + self.user_bias_2, dtype=np.float32)

    def embed_items(self, codes: I64, content: F32) -> F32:
        """Return float32 [n, d] of codes int64 [n] and content float32 [n, W]."""
        hidden: F32 = np.tanh(content @ self.content_1 + self.content_bias_1)
        return np.asarray(self.id_table[codes] + hidden @ self.content_2 + self.content_bias_2, dtype=np.float32)
