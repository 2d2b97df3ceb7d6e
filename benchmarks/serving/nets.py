"""`python -m benchmarks.serving.nets`: make `nets/light.onnx` and `nets/heavy.onnx` from a seed.

The committed files are the pre-ranker and the ranker of the product and what the floors run: the same bytes. Each
reads 40 columns (15 of the user, 25 of the item), casts them to float32 first, and takes the signals and the position
of the rankers' interface without using them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from loopwright.featurespec.signals import SIGNALS

FOLDER = Path(__file__).with_name("nets")
LIGHT, HEAVY = FOLDER / "light.onnx", FOLDER / "heavy.onnx"
SEED = 7
USER_COLUMNS, ITEM_COLUMNS = 15, 25
LIGHT_LAYERS, HEAVY_LAYERS = (40, 64, 32, 1), (40, 128, 64, 4)
OPSET, IR_VERSION = 18, 10


def net(layers: Sequence[int], seed: int, *, scorer: bool) -> bytes:
    """Return a perceptron with the interface of a pre-ranker (`scorer`) or of a multi-task ranker."""
    rng = np.random.default_rng(seed)
    weights: dict[str, Any] = {"first": np.array([0]), "second": np.array([1])}
    weights["user_columns"] = np.array([USER_COLUMNS])
    nodes = [
        helper.make_node("Cast", ["user"], ["user32"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["items"], ["items32"], to=TensorProto.FLOAT),
        helper.make_node("Shape", ["items"], ["shape"]),
        helper.make_node("Slice", ["shape", "first", "second"], ["rows"]),
        helper.make_node("Concat", ["rows", "user_columns"], ["wide"], axis=0),
        helper.make_node("Expand", ["user32", "wide"], ["users"]),
        helper.make_node("Concat", ["users", "items32"], ["h0"], axis=1),
    ]
    last = len(layers) - 1
    for n, (fan_in, fan_out) in enumerate(itertools.pairwise(layers), start=1):
        scale = np.sqrt(2 / fan_in) * (0.1 if n == last else 1.0)
        weights[f"w{n}"] = (rng.normal(size=(fan_in, fan_out)) * scale).astype(np.float32)
        weights[f"b{n}"] = np.zeros(fan_out, np.float32)
        nodes.append(helper.make_node("Gemm", [f"h{n - 1}", f"w{n}", f"b{n}"], [f"g{n}"]))
        if n < last:
            nodes.append(helper.make_node("Relu", [f"g{n}"], [f"h{n}"]))
    if scorer:
        weights["flat"] = np.array([-1])
        nodes.append(helper.make_node("Reshape", [f"g{last}", "flat"], ["score"]))
        output: tuple[str, list[Any]] = ("score", ["n"])
    else:
        nodes.append(helper.make_node("Identity", [f"g{last}"], ["heads"]))
        output = ("heads", ["n", layers[-1]])
    half, single = TensorProto.FLOAT16, TensorProto.FLOAT
    inputs: list[tuple[str, int, list[Any]]]
    inputs = [("user", half, [1, USER_COLUMNS]), ("items", half, ["n", ITEM_COLUMNS])]
    inputs.append(("signals", single, ["n", len(SIGNALS)]))
    if not scorer:
        inputs.append(("position", single, [1]))
    graph = helper.make_graph(
        nodes,
        "perceptron",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(output[0], single, output[1])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    LIGHT.write_bytes(net(LIGHT_LAYERS, SEED, scorer=True))
    HEAVY.write_bytes(net(HEAVY_LAYERS, SEED + 1, scorer=False))


if __name__ == "__main__":
    main()
