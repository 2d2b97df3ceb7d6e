"""Golden batches: seeded inputs and what torch and numpy make of them, against which every load is checked."""

from __future__ import annotations

import numpy as np

from loopwright.domain.vectors import F32
from loopwright.modelstore.models import ITEM_TOWER, USER_TOWER, GoldenCase
from loopwright.trainer.export.ranker_graphs import Widths
from loopwright.trainer.learning.network import NetWeights, log_sigmoid, logits
from loopwright.trainer.learning.tower_weights import TowerWeights

_ROWS = 16
_HISTORY = 24
_POSITION = 3.0  # not 1, so that the position input is exercised


def tower_cases(towers: TowerWeights, seed: int) -> dict[str, GoldenCase]:
    """Return the cases of both towers: histories with padding, an empty one, known and unknown items."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, len(towers.vocabulary) + 1, (_ROWS, _HISTORY))
    weights = generator.random((_ROWS, _HISTORY)).astype(np.float32)
    weights[0] = 0.0
    users = np.concatenate([_user(towers, codes[k], weights[k]) for k in range(_ROWS)])
    items = generator.integers(0, len(towers.vocabulary) + 1, _ROWS)
    content = generator.normal(size=(_ROWS, len(towers.content_1))).astype(np.float32)
    return {
        USER_TOWER: GoldenCase({"history": codes, "weights": weights}, {"embedding": users}),
        ITEM_TOWER: GoldenCase({"item": items, "content": content}, {"embedding": towers.embed_items(items, content)}),
    }


def _user(towers: TowerWeights, codes: np.ndarray, weights: np.ndarray) -> F32:
    return towers.embed_user(codes[None], weights[None])[None]


def ranker_case(weights: NetWeights, widths: Widths, seed: int) -> GoldenCase:
    """Return the case of the ranker, at another position than serving's."""
    inputs, x = _ranking_inputs(weights, widths, seed)
    heads = log_sigmoid(logits(weights, x, _POSITION))
    return GoldenCase({**inputs, "position": np.array([_POSITION], np.float32)}, {"heads": heads})


def pre_ranker_case(weights: NetWeights, widths: Widths, seed: int) -> GoldenCase:
    """Return the case of the pre-ranker."""
    inputs, x = _ranking_inputs(weights, widths, seed)
    return GoldenCase(inputs, {"score": logits(weights, x)[:, 0]})


def _ranking_inputs(weights: NetWeights, widths: Widths, seed: int) -> tuple[dict[str, np.ndarray], F32]:
    """Return rows spread like the training rows: one user, 16 items."""
    generator = np.random.default_rng(seed)
    user, item, _ = widths
    scale = weights.standard.scale
    spread = np.where(scale > 0, 1 / np.where(scale > 0, scale, 1), 0.0)
    x = weights.standard.mean + 2 * spread * generator.normal(size=(_ROWS, sum(widths)))
    x = np.clip(x, -60_000, 60_000)
    users, items = x[0, :user].astype(np.float16), x[:, user : user + item].astype(np.float16)
    signals = x[:, user + item :].astype(np.float32)
    inputs: dict[str, np.ndarray] = {"user": users[None], "items": items, "signals": signals}
    row = np.concatenate([np.tile(users.astype(np.float32), (_ROWS, 1)), items.astype(np.float32), signals], axis=1)
    return inputs, row
