"""User and item tower as ONNX graphs."""

from __future__ import annotations

import numpy as np

from loopwright.trainer.export.graph_builder import F32, I64, GraphBuilder, port
from loopwright.trainer.learning.tower_weights import NORM_FLOOR, TowerWeights


def user_tower(towers: TowerWeights) -> bytes:
    """Return the graph history int64 [B, L], weights float32 [B, L] -> embedding float32 [B, d]; code 0 is padding."""
    b = GraphBuilder("user_tower")
    zero, floor = b.constant("zero", np.zeros(1, np.int64)), b.constant("floor", np.array([NORM_FLOOR], np.float32))
    row, column = b.constant("axis1", np.array([1])), b.constant("axis2", np.array([2]))
    weight = b.node("Mul", "weights", b.node("Cast", b.node("Greater", "history", zero), to=F32))
    items = b.node("Gather", b.constant("history_table", towers.history_table), "history", axis=0)
    total = b.node("ReduceSum", b.node("Mul", items, b.node("Unsqueeze", weight, column)), row, keepdims=0)
    squares = b.node("ReduceSum", b.node("Mul", weight, weight), row, keepdims=1)
    z = b.node("Div", total, b.node("Add", b.node("Sqrt", squares), floor))
    hidden = _layer(b, z, "user_1", towers.user_1, towers.user_bias_1)
    b.node("Add", z, _layer(b, b.node("Tanh", hidden), "user_2", towers.user_2, towers.user_bias_2), out="embedding")
    inputs = [port("history", I64, "batch", "length"), port("weights", F32, "batch", "length")]
    return b.bytes_of(inputs, [port("embedding", F32, "batch", towers.id_table.shape[1])])


def item_tower(towers: TowerWeights) -> bytes:
    """Return the graph item int64 [n], content float32 [n, W] -> embedding float32 [n, d]; code 0 is unknown."""
    b = GraphBuilder("item_tower")
    hidden = _layer(b, "content", "content_1", towers.content_1, towers.content_bias_1)
    described = _layer(b, b.node("Tanh", hidden), "content_2", towers.content_2, towers.content_bias_2)
    ids = b.node("Gather", b.constant("id_table", towers.id_table), "item", axis=0)
    b.node("Add", ids, described, out="embedding")
    inputs = [port("item", I64, "items"), port("content", F32, "items", len(towers.content_1))]
    return b.bytes_of(inputs, [port("embedding", F32, "items", towers.id_table.shape[1])])


def _layer(b: GraphBuilder, x: str, name: str, weights: np.ndarray, bias: np.ndarray) -> str:
    return b.node("Add", b.node("MatMul", x, b.constant(name, weights)), b.constant(f"{name}_bias", bias))
