"""`GraphBuilder`: nodes and constants collected in order, so that equal weights give equal bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 8
F32, F16, I64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64


class GraphBuilder:
    """Builds one graph node by node; names are numbers in the order of building."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        """Add a constant and return its name."""
        # np.ascontiguousarray would turn an array without axes into one of one axis
        self._constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def node(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        """Add an operator of one output and return the output's name."""
        place = len(self._nodes) + 1
        out = out or f"t{place}"
        self._nodes.append(helper.make_node(kind, list(inputs), [out], name=f"n{place}", **attributes))
        return out

    def bytes_of(self, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]) -> bytes:
        """Return the checked model."""
        graph = helper.make_graph(self._nodes, self._name, inputs, outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="loopwright")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))


def port(name: str, element: int, *shape: str | int) -> onnx.ValueInfoProto:
    """Return an input or output; a name as length leaves the axis free."""
    return helper.make_tensor_value_info(name, element, list(shape))
