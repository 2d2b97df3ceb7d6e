"""Puts the benchmark's models into a model store, verified and pinned like trained ones.

In: a store and the world. Out: kind -> version. The rankers are the committed nets; the towers look the world's vectors
up, so that the product searches the vectors that the floors search.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.serving.nets import HEAVY, ITEM_COLUMNS, LIGHT, USER_COLUMNS
from benchmarks.serving.world import DIMENSION, World
from loopwright.featurespec.signals import SIGNALS
from loopwright.modelstore import Kind, ModelStore
from loopwright.modelstore.models import (
    GOLDEN_NAME,
    ITEM_TOWER,
    PRE_RANKER,
    RANKER,
    USER_TOWER,
    VOCABULARY,
    GoldenCase,
    golden_bytes,
    vocabulary_bytes,
)

USER_GROUPS = ("user_activity.v1",)
ITEM_GROUPS = ("item_content.v1", "item_creator.v1")
"""15 and 25 columns: of all choices of groups the nearest to 16 and 24."""

HEADS = ("engage", "satisfied", "like", "share")
GOLDEN_ROWS, GOLDEN_SEED = 6, 11
CONTENT_WIDTH = 16

Port = tuple[str, int, list[Any]]
"""A graph's input: name, element type, axes."""


def put_models(store: ModelStore, world: World) -> dict[str, str]:
    """Put towers, pre-ranker and ranker into the store and return their versions by kind."""
    rankers = {
        Kind.PRE_RANKER: (PRE_RANKER, LIGHT, ()),
        Kind.RANKER: (RANKER, HEAVY, HEADS),
    }
    pins = {Kind.TWO_TOWER.value: store.put(Kind.TWO_TOWER, _towers(world)).model_version}
    for kind, (name, path, heads) in rankers.items():
        files = _scorer(name, path)
        groups = (*USER_GROUPS, *ITEM_GROUPS)
        pins[kind.value] = store.put(kind, files, feature_groups=groups, signals=SIGNALS, heads=heads).model_version
    return pins


def _scorer(name: str, path: Path) -> dict[str, bytes]:
    rng = np.random.default_rng(GOLDEN_SEED)
    feeds: dict[str, np.ndarray] = {
        "user": rng.normal(size=(1, USER_COLUMNS)).astype(np.float16),
        "items": rng.normal(size=(GOLDEN_ROWS, ITEM_COLUMNS)).astype(np.float16),
        "signals": rng.normal(size=(GOLDEN_ROWS, len(SIGNALS))).astype(np.float32),
    }
    if name == RANKER:
        feeds["position"] = np.ones(1, np.float32)
    data = path.read_bytes()
    return {name: data, GOLDEN_NAME: golden_bytes({name: _case(data, feeds)})}


def _towers(world: World) -> dict[str, bytes]:
    rows = np.zeros((len(world.vectors) + 1, DIMENSION), np.float32)  # code 0 is an item outside the vocabulary
    rows[1:] = world.vectors
    user, item = _user_tower(rows), _item_tower(rows)
    past = {"history": np.array([[1, 2, 0]]), "weights": np.array([[1.0, 0.5, 0.0]], np.float32)}
    content = np.random.default_rng(GOLDEN_SEED).normal(size=(GOLDEN_ROWS, CONTENT_WIDTH)).astype(np.float32)
    golden = {
        USER_TOWER: _case(user, past),
        ITEM_TOWER: _case(item, {"item": np.arange(GOLDEN_ROWS), "content": content}),
    }
    return {
        USER_TOWER: user,
        ITEM_TOWER: item,
        VOCABULARY: vocabulary_bytes(world.item_ids),
        GOLDEN_NAME: golden_bytes(golden),
    }


def _user_tower(rows: np.ndarray) -> bytes:
    nodes = [
        helper.make_node("Gather", ["rows", "history"], ["found"], axis=0),
        helper.make_node("Unsqueeze", ["weights", "last"], ["wide"]),
        helper.make_node("Mul", ["found", "wide"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "middle"], ["embedding"], keepdims=0),
    ]
    inputs: list[Port] = [("history", TensorProto.INT64, ["B", "L"]), ("weights", TensorProto.FLOAT, ["B", "L"])]
    return _graph(nodes, inputs, "B", {"rows": rows, "last": np.array([2]), "middle": np.array([1])})


def _item_tower(rows: np.ndarray) -> bytes:
    nodes = [
        helper.make_node("Gather", ["rows", "item"], ["found"], axis=0),
        helper.make_node("MatMul", ["content", "nothing"], ["facts"]),
        helper.make_node("Add", ["found", "facts"], ["embedding"]),
    ]
    inputs: list[Port] = [("item", TensorProto.INT64, ["n"]), ("content", TensorProto.FLOAT, ["n", CONTENT_WIDTH])]
    return _graph(nodes, inputs, "n", {"rows": rows, "nothing": np.zeros((CONTENT_WIDTH, DIMENSION), np.float32)})


def _graph(
    nodes: list[onnx.NodeProto], inputs: list[Port], axis: str, weights: Mapping[str, np.ndarray]
) -> bytes:  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "lookup",
        [helper.make_tensor_value_info(*port) for port in inputs],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [axis, DIMENSION])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


def _case(data: bytes, feeds: Mapping[str, np.ndarray]) -> GoldenCase:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_outputs()]
    return GoldenCase(feeds, dict(zip(names, session.run(names, dict(feeds)), strict=True)))
