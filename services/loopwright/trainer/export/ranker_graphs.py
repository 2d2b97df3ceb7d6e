"""Ranker and pre-ranker as ONNX graphs: members side by side in one wide layer, calibration and position inside."""

from __future__ import annotations

import numpy as np

from loopwright.trainer.export.graph_builder import F16, F32, GraphBuilder, port
from loopwright.trainer.learning.network import CLIP, NetWeights

Widths = tuple[int, int, int]
"""Columns of user, items and signals."""


def ranker(weights: NetWeights, widths: Widths) -> bytes:
    """Return the graph of the ranker.

    user float16 [1, U], items float16 [n, C], signals float32 [n, K], position float32 [1] -> heads float32 [n, H],
    the log-probabilities, so that a bundle's weighted sum of heads is the logarithm of a product.
    """
    b = GraphBuilder("ranker")
    logit = _logits(b, weights, widths)
    log_position = b.node("Log", b.node("Max", "position", b.constant("first", np.ones(1, np.float32))))
    at = b.node("Mul", log_position, b.constant("position_slope", weights.position))
    b.node("Neg", b.node("Softplus", b.node("Neg", b.node("Add", logit, at))), out="heads")
    outputs = [port("heads", F32, "n", weights.skip.shape[1])]
    return b.bytes_of([*_inputs(widths), port("position", F32, 1)], outputs)


def pre_ranker(weights: NetWeights, widths: Widths) -> bytes:
    """Return the graph of the pre-ranker: as the ranker without position -> score float32 [n]."""
    b = GraphBuilder("pre_ranker")
    b.node("Squeeze", _logits(b, weights, widths), b.constant("axis1", np.array([1])), out="score")
    return b.bytes_of(_inputs(widths), [port("score", F32, "n")])


def _inputs(widths: Widths) -> list:  # type: ignore[type-arg]
    user, item, signal = widths
    return [port("user", F16, 1, user), port("items", F16, "n", item), port("signals", F32, "n", signal)]


def _logits(b: GraphBuilder, weights: NetWeights, widths: Widths) -> str:
    user, items = b.node("Cast", "user", to=F32), b.node("Cast", "items", to=F32)
    shape = b.node("Concat", b.node("Shape", items, start=0, end=1), b.constant("users", np.array([widths[0]])), axis=0)
    x = b.node("Concat", b.node("Expand", user, shape), items, "signals", axis=1)
    x = b.node("Sub", x, b.constant("mean", weights.standard.mean))
    x = b.node("Mul", x, b.constant("scale", weights.standard.scale))
    x = b.node("Clip", x, *(b.constant(n, np.array(v, np.float32)) for n, v in (("low", -CLIP), ("high", CLIP))))
    h = x
    for place, (matrix, bias) in enumerate(_wide(weights)):
        if place:
            h = b.node("Relu", h)
        h = b.node("MatMul", h, b.constant(f"w{place}", matrix))
        h = b.node("Add", h, b.constant(f"b{place}", bias))
    h = b.node("Add", h, b.node("MatMul", x, b.constant("skip", weights.skip)))
    h = b.node("Mul", h, b.constant("slope", weights.slope))
    return b.node("Add", h, b.constant("bias", weights.bias))


def _wide(weights: NetWeights) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the members' layers as one: side by side, then block-diagonal, then averaged."""
    out: list[tuple[np.ndarray, np.ndarray]] = []
    last = len(weights.layers) - 1
    for place, (matrices, bias) in enumerate(weights.layers):
        members, rows, columns = matrices.shape
        if place == last:
            stacked = matrices.reshape(-1, columns) if last else matrices.sum(axis=0)
            out.append((stacked / np.float32(members), bias.mean(axis=0)))
        elif place == 0:
            out.append((np.concatenate(list(matrices), axis=1), bias.reshape(-1)))
        else:
            wide = np.zeros((members * rows, members * columns), np.float32)
            for m in range(members):
                wide[m * rows : (m + 1) * rows, m * columns : (m + 1) * columns] = matrices[m]
            out.append((wide, bias.reshape(-1)))
    return [(matrix.astype(np.float32), bias.astype(np.float32)) for matrix, bias in out]
