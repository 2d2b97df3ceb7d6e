import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.tiny_models import edited, onnx_bytes, scorer

from loopwright.modelstore import Kind, ModelBatchDependent, ModelInvalid
from loopwright.modelstore.operators import check_operators

DATA = scorer(Kind.RANKER, 3, 4)["ranker.onnx"]


def test_plain_arithmetic_passes() -> None:
    check_operators("ranker.onnx", DATA)


@pytest.mark.parametrize("data", [b"", b"hello world", DATA[: len(DATA) // 2]])
def test_bytes_that_are_no_graph_are_refused(data: bytes) -> None:
    with pytest.raises(ModelInvalid):
        check_operators("ranker.onnx", data)


def test_dynamic_quantisation_is_refused_as_batch_dependent() -> None:
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])
    data = onnx_bytes([node], [("x", TensorProto.FLOAT, ["n"])], ("y", TensorProto.UINT8, ["n"]), {})
    with pytest.raises(ModelBatchDependent, match="DynamicQuantizeLinear"):
        check_operators("ranker.onnx", data)


@pytest.mark.parametrize(("operator", "domain"), [("RandomNormalLike", ""), ("Relu", "com.microsoft"), ("Loop", "")])
def test_an_operator_that_is_not_on_the_list_is_refused(operator: str, domain: str) -> None:
    node = helper.make_node(operator, ["x"], ["y"], domain=domain)
    data = onnx_bytes([node], [("x", TensorProto.FLOAT, ["n"])], ("y", TensorProto.FLOAT, ["n"]), {})
    with pytest.raises(ModelInvalid, match=operator):
        check_operators("ranker.onnx", data)


def externalise(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def hide_in_attribute(model: onnx.ModelProto) -> None:
    tensor = numpy_helper.from_array(np.ones(1, np.float32), "w")
    tensor.external_data.add(key="location", value="w.bin")
    model.graph.node.append(helper.make_node("Constant", [], ["w"], value=tensor))


def add_function(model: onnx.ModelProto) -> None:
    node = helper.make_node("Relu", ["a"], ["b"])
    model.functions.append(helper.make_function("mine", "Relu2", ["a"], ["b"], [node], [helper.make_opsetid("", 18)]))


def add_subgraph(model: onnx.ModelProto) -> None:
    body = helper.make_graph([helper.make_node("Relu", ["a"], ["b"])], "body", [], [])
    model.graph.node.append(helper.make_node("Identity", ["sum"], ["z"], body=body))


@pytest.mark.parametrize("change", [externalise, hide_in_attribute, add_function, add_subgraph])
def test_weights_outside_functions_and_subgraphs_are_refused(change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelInvalid):
        check_operators("ranker.onnx", edited(DATA, change))
