"""What an ONNX graph may contain: bytes in, a refusal out if it holds anything but plain, inline, row-wise arithmetic.

Reads the file with the few fields of onnx.proto that matter, so that serving needs no `onnx` package.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from loopwright.modelstore.rejections import ModelBatchDependent, ModelInvalid

_OPERATORS = (
    "Abs Add And BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Cos CumSum "
    "DequantizeLinear Div Einsum Elu Equal Erf Exp Expand Flatten Floor Gather GatherElements GatherND "
    "Gelu Gemm Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN LayerNormalization "
    "LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max Mean Min Mish Mul Neg Not Or PRelu Pad Pow "
    "QLinearMatMul QuantizeLinear Range Reciprocal ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean "
    "ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Selu Shape Sigmoid Sign Sin Slice "
    "Softmax Softplus Softsign Split Sqrt Squeeze Sub Sum Tanh ThresholdedRelu Tile Transpose Trilu "
    "Unsqueeze Where Xor "
)
ALLOWED = frozenset(_OPERATORS.split())
"""Deterministic operators of the standard domain without control flow, files, strings or random numbers."""

BATCH_DEPENDENT = frozenset({"DynamicQuantizeLinear", "MatMulInteger", "ConvInteger"})
"""Dynamic quantisation: its scale comes from the whole batch (measured: scores move by 2.3e-3 with the batch)."""

STANDARD_DOMAINS = frozenset({"", "ai.onnx"})

_FIELDS = descriptor_pb2.FieldDescriptorProto
_MESSAGES: dict[str, tuple[tuple[str, int, str, bool], ...]] = {
    # (field, number in onnx.proto, type, repeated); fields that are not named here are skipped as unknown
    "Model": (("graph", 7, "Graph", False), ("functions", 25, "Function", True)),
    "Function": (("name", 1, "string", False),),
    "Graph": (
        ("node", 1, "Node", True),
        ("initializer", 5, "Tensor", True),
        ("sparse_initializer", 15, "Sparse", True),
    ),
    "Node": (("op_type", 4, "string", False), ("domain", 7, "string", False), ("attribute", 5, "Attribute", True)),
    "Attribute": (
        ("t", 5, "Tensor", False),
        ("g", 6, "Graph", False),
        ("tensors", 10, "Tensor", True),
        ("graphs", 11, "Graph", True),
    ),
    "Tensor": (("external_data", 13, "Entry", True), ("data_location", 14, "int32", False)),
    "Sparse": (("values", 1, "Tensor", False),),
    "Entry": (("key", 1, "string", False),),
}
_PACKAGE = "loopwright_onnx_subset"


def _message_classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="onnx_subset.proto", package=_PACKAGE, syntax="proto2")
    scalars = {"string": _FIELDS.TYPE_STRING, "int32": _FIELDS.TYPE_INT32}
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            label = _FIELDS.LABEL_REPEATED if repeated else _FIELDS.LABEL_OPTIONAL
            if kind in scalars:
                described.field.add(name=name, number=number, label=label, type=scalars[kind])
            else:
                described.field.add(
                    name=name, number=number, label=label, type=_FIELDS.TYPE_MESSAGE, type_name=f".{_PACKAGE}.{kind}"
                )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


_MODEL = _message_classes()["Model"]


def check_operators(name: str, data: bytes) -> None:
    """Refuse a graph that is not plain arithmetic with inline weights.

    Args:
        name: The file's name, for the message.
        data: The ONNX file.

    Raises:
        ModelInvalid: It does not decode, or holds an operator, domain, function, subgraph or external data that is
            not allowed.
        ModelBatchDependent: It quantises dynamically.
    """
    try:
        model = _MODEL.FromString(data)
    except DecodeError as error:
        raise ModelInvalid(f"{name} is not an ONNX file") from error
    if not model.graph.node:
        raise ModelInvalid(f"{name} has no operators")
    if model.functions:
        raise ModelInvalid(f"{name} defines functions")
    for tensor in _tensors(model.graph):
        if tensor.data_location or tensor.external_data:
            raise ModelInvalid(f"{name} keeps weights outside the file")
    for node in model.graph.node:
        if node.op_type in BATCH_DEPENDENT:
            raise ModelBatchDependent(f"{name} uses {node.op_type}")
        if node.domain not in STANDARD_DOMAINS or node.op_type not in ALLOWED:
            raise ModelInvalid(f"{name} uses an operator that is not allowed: {node.domain}:{node.op_type}")
        if any(a.HasField("g") or a.graphs for a in node.attribute):
            raise ModelInvalid(f"{name} holds a subgraph in {node.op_type}")


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield sparse.values
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
