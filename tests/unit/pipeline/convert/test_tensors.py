from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.common.v1.tensor_pb2 import Tensor
from loopwright.faults import InvalidRequest
from loopwright.pipeline.convert.tensors import distinct_rows, from_tensor, to_tensor

DTYPES = [np.float16, np.float32, np.float64, np.uint8, np.uint16, np.uint32, np.uint64]
SHAPES = st.one_of(st.tuples(st.integers(0, 9)), st.tuples(st.integers(0, 9), st.integers(0, 9)))


@given(seed=st.integers(0, 2**32), dtype=st.sampled_from(DTYPES), shape=SHAPES)
def test_every_bit_of_an_array_survives_the_wire(arrays, same, seed, dtype, shape):
    array = arrays(seed)(dtype, *shape)
    wire = Tensor.FromString(Tensor(**to_tensor(array)).SerializeToString())
    assert same(from_tensor(wire, "x", dtype, (None,) * len(shape)), array)


def test_the_elements_are_little_endian_on_the_wire():
    assert to_tensor(np.array([1], dtype=np.uint16))["data"] == b"\x01\x00"
    assert to_tensor(np.array([1], dtype=">u2"))["data"] == b"\x01\x00"


def test_strided_rows_are_written_row_major():
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(from_tensor(Tensor(**to_tensor(matrix.T)), "x", np.float32, (3, 2)), matrix.T)


def test_a_parsed_array_is_a_view_that_cannot_be_written():
    parsed = from_tensor(Tensor(**to_tensor(np.arange(3, dtype=np.uint64))), "x", np.uint64)
    assert not parsed.flags.owndata
    assert not parsed.flags.writeable


@pytest.mark.parametrize(
    ("tensor", "rule"),
    [
        (Tensor(), "tensor.dtype"),
        (Tensor(dtype=99, shape=[1], data=b"\0\0"), "tensor.dtype"),
        (Tensor(dtype="DTYPE_FLOAT32", shape=[1], data=b"\0\0\0\0"), "tensor.dtype"),
        (Tensor(dtype="DTYPE_FLOAT16", shape=[], data=b"\0\0"), "tensor.shape"),
        (Tensor(dtype="DTYPE_FLOAT16", shape=[1, 1], data=b"\0\0"), "tensor.shape"),
        (Tensor(dtype="DTYPE_FLOAT16", shape=[3], data=b"\0\0" * 3), "tensor.shape"),
        (Tensor(dtype="DTYPE_FLOAT16", shape=[2], data=b"\0\0\0"), "tensor.data"),
        (Tensor(dtype="DTYPE_FLOAT16", shape=[2], data=b"\0\0" * 3), "tensor.data"),
    ],
)
def test_a_malformed_tensor_is_refused_by_the_name_of_its_field(tensor, rule):
    with pytest.raises(InvalidRequest) as refused:
        from_tensor(tensor, "item_columns", np.float16, (2,))
    assert [(v.field, v.rule) for v in refused.value.violations] == [("item_columns", rule)]


@given(rows=st.lists(st.integers(0, 6), max_size=6), n=st.integers(0, 6))
def test_rows_are_distinct_when_a_set_of_them_is_as_long_and_within_the_table(rows, n):
    expected = len(set(rows)) == len(rows) and all(row < n for row in rows)
    assert distinct_rows(np.array(rows, dtype=np.uint32), n) is expected


def test_lengths_whose_product_overflows_a_machine_word_are_refused():
    tensor = Tensor(dtype="DTYPE_UINT64", shape=[2**31, 2**31], data=b"")
    with pytest.raises(InvalidRequest):
        from_tensor(tensor, "x", np.uint64, (None, None))


@pytest.mark.parametrize("array", [np.zeros((1, 1, 1), dtype=np.float32), np.zeros(1, dtype=np.int64)])
def test_an_array_without_a_wire_form_is_our_own_mistake(array):
    with pytest.raises(ValueError, match="no tensor"):
        to_tensor(array)
