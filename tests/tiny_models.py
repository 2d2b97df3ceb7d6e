"""Tiny ONNX models with known arithmetic: what tests of the model store, retrieval and ranking load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from loopwright.featurespec.signals import SIGNALS
from loopwright.modelstore import Kind, Manifest, ModelStore
from loopwright.modelstore.models import (
    ITEM_TOWER,
    PRE_RANKER,
    RANKER,
    USER_TOWER,
    VOCABULARY,
    GoldenCase,
    golden_bytes,
    vocabulary_bytes,
)

K = len(SIGNALS)
HEADS = ("engage", "satisfied")
F16, F32, I64 = TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.INT64
Port = tuple[str, int, Sequence[Any]]


def onnx_bytes(nodes: list[Any], inputs: list[Port], output: Port, weights: Mapping[str, Any]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(*port) for port in inputs],
        [helper.make_tensor_value_info(*output)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return model.SerializeToString()


def user_tower(table: np.ndarray) -> bytes:
    nodes = [
        helper.make_node("Gather", ["table", "history"], ["rows"], axis=0),
        helper.make_node("Unsqueeze", ["weights", "last"], ["wide"]),
        helper.make_node("Mul", ["rows", "wide"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "middle"], ["sum"], keepdims=0),
        helper.make_node("Add", ["sum", "bias"], ["embedding"]),
    ]
    bias = np.full(table.shape[1], 0.01, np.float32)
    return onnx_bytes(
        nodes,
        [("history", I64, ["B", "L"]), ("weights", F32, ["B", "L"])],
        ("embedding", F32, ["B", table.shape[1]]),
        {"table": table, "last": np.array([2]), "middle": np.array([1]), "bias": bias},
    )


def item_tower(table: np.ndarray, projection: np.ndarray) -> bytes:
    nodes = [
        helper.make_node("Gather", ["table", "item"], ["rows"], axis=0),
        helper.make_node("MatMul", ["content", "projection"], ["facts"]),
        helper.make_node("Add", ["rows", "facts"], ["embedding"]),
    ]
    return onnx_bytes(
        nodes,
        [("item", I64, ["n"]), ("content", F32, ["n", projection.shape[0]])],
        ("embedding", F32, ["n", table.shape[1]]),
        {"table": table, "projection": projection},
    )


def put_two_tower(store: ModelStore, item_ids: np.ndarray, *, dim: int = 8, width: int = 16, seed: int = 1) -> Manifest:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(len(item_ids) + 1, dim)).astype(np.float32)
    table[0] = 0
    projection = rng.normal(size=(width, dim)).astype(np.float32) * 0.1
    history = np.array([[1, min(2, len(item_ids)), 0]])
    weights = np.array([[1.0, 0.5, 0.0]], np.float32)
    items, content = np.arange(5) % len(table), rng.normal(size=(5, width)).astype(np.float32)
    user_out = (table[history] * weights[:, :, None]).sum(1) + np.float32(0.01)
    golden = {
        USER_TOWER: GoldenCase({"history": history, "weights": weights}, {"embedding": user_out}),
        ITEM_TOWER: GoldenCase({"item": items, "content": content}, {"embedding": table[items] + content @ projection}),
    }
    files = {
        USER_TOWER: user_tower(table),
        ITEM_TOWER: item_tower(table, projection),
        VOCABULARY: vocabulary_bytes(item_ids),
        "golden.npz": golden_bytes(golden),
    }
    return store.put(Kind.TWO_TOWER, files)


_FLOATS = [
    helper.make_node("Cast", ["user"], ["user32"], to=F32),
    helper.make_node("Cast", ["items"], ["items32"], to=F32),
    helper.make_node("MatMul", ["user32", "wu"], ["by_user"]),
    helper.make_node("MatMul", ["items32", "wi"], ["by_item"]),
    helper.make_node("MatMul", ["signals", "ws"], ["by_signal"]),
    helper.make_node("Add", ["by_item", "by_signal"], ["by_row"]),
    helper.make_node("Add", ["by_row", "by_user"], ["sum"]),
]
_NODES: dict[str, list[Any]] = {
    "plain": [*_FLOATS, helper.make_node("Identity", ["sum"], ["wide"])],
    # the scores of a row move with the other rows of its batch
    "batch": [
        *_FLOATS,
        helper.make_node("ReduceMean", ["sum", "rows_axis"], ["mean"], keepdims=1),
        helper.make_node("Sub", ["sum", "mean"], ["wide"]),
    ],
    # finite everywhere but where a signal is exactly 7
    "trap": [
        *_FLOATS,
        helper.make_node("Sub", ["signals", "seven"], ["gap"]),
        helper.make_node("Reciprocal", ["gap"], ["pole"]),
        helper.make_node("Mul", ["pole", "tiny"], ["small"]),
        helper.make_node("ReduceSum", ["small", "columns_axis"], ["extra"], keepdims=1),
        helper.make_node("Add", ["sum", "extra"], ["wide"]),
    ],
}


def scorer(
    kind: Kind, user: int, items: int, *, flavour: str = "plain", nan: bool = False, seed: int = 3
) -> dict[str, bytes]:
    """Return the files of a linear pre-ranker or ranker over `user` and `items` columns."""
    rng = np.random.default_rng(seed)
    heads = 1 if kind is Kind.PRE_RANKER else len(HEADS)
    wu, wi, ws = (rng.normal(size=(n, heads)).astype(np.float32) * 0.01 for n in (user, items, K))
    feeds = {
        "user": rng.normal(size=(1, user)).astype(np.float16),
        "items": rng.normal(size=(6, items)).astype(np.float16),
        "signals": rng.normal(size=(6, K)).astype(np.float32),
    }
    out = feeds["items"].astype(np.float32) @ wi + feeds["signals"] @ ws + feeds["user"].astype(np.float32) @ wu
    if flavour == "batch":
        out = out - out.mean(0, keepdims=True)
    if flavour == "trap":
        out = out + (1e-3 / (feeds["signals"] - 7)).sum(1, keepdims=True)
    weights: dict[str, Any] = {"wu": wu, "wi": wi, "ws": ws}
    weights |= {
        "batch": {"rows_axis": np.array([0])},
        "trap": {
            "columns_axis": np.array([1]),
            "seven": np.array([7], np.float32),
            "tiny": np.array([1e-3], np.float32),
        },
        "plain": {},
    }[flavour]
    if nan:
        wi[0, 0] = np.nan
    ports: list[Port] = [("user", F16, [1, user]), ("items", F16, ["n", items]), ("signals", F32, ["n", K])]
    if kind is Kind.PRE_RANKER:
        nodes = [*_NODES[flavour], helper.make_node("Reshape", ["wide", "flat"], ["score"])]
        weights["flat"] = np.array([-1])
        data = onnx_bytes(nodes, ports, ("score", F32, ["n"]), weights)
        case = GoldenCase(feeds, {"score": out.reshape(-1)})
        return {PRE_RANKER: data, "golden.npz": golden_bytes({PRE_RANKER: case})}
    nodes = [
        *_NODES[flavour],
        helper.make_node("Mul", ["position", "slope"], ["discount"]),
        helper.make_node("Sub", ["wide", "discount"], ["heads"]),
    ]
    weights["slope"] = np.array([0.01], np.float32)
    data = onnx_bytes(nodes, [*ports, ("position", F32, [1])], ("heads", F32, ["n", heads]), weights)
    case = GoldenCase({**feeds, "position": np.ones(1, np.float32)}, {"heads": out - np.float32(0.01)})
    return {RANKER: data, "golden.npz": golden_bytes({RANKER: case})}


def put_scorer(store: ModelStore, kind: Kind, user: int, items: int, groups: Sequence[str], **options: Any) -> Manifest:
    heads = () if kind is Kind.PRE_RANKER else HEADS
    files = scorer(kind, user, items, **options)
    return store.put(kind, files, feature_groups=groups, signals=SIGNALS, heads=heads)


def edited(data: bytes, change: Any) -> bytes:
    """Return an ONNX file after `change(model)`."""
    model = onnx.load_from_string(data)
    change(model)
    return bytes(model.SerializeToString())
