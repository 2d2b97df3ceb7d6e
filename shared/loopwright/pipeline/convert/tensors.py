"""Arrays to and from `Tensor` messages: one bytes field a matrix, read in place; all conversions call it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from loopwright.api.common.v1.tensor_pb2 import Tensor
from loopwright.pipeline.convert.parsing import invalid

S = TypeVar("S", bound=np.generic)

_DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f2"),
    2: np.dtype("<f4"),
    3: np.dtype("<f8"),
    4: np.dtype("u1"),
    5: np.dtype("<u2"),
    6: np.dtype("<u4"),
    7: np.dtype("<u8"),
}
_NUMBERS: dict[np.dtype[Any], int] = {dtype: n for n, dtype in _DTYPES.items()}
_NAMES = {n: dtype.name for n, dtype in _DTYPES.items()}
MAX_AXES = 2


def to_tensor(array: NDArray[Any]) -> Tensor:
    """Return an array of one or two axes as a message, little-endian and row-major.

    Raises:
        ValueError: The dtype or the number of axes has no wire form; a caller's mistake, not a peer's.
    """
    number = _NUMBERS.get(array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype)
    if number is None or not 1 <= array.ndim <= MAX_AXES:
        raise ValueError(f"no tensor for dtype {array.dtype} with {array.ndim} axes")
    little = array.astype(_DTYPES[number], copy=False)
    wire: Any = number
    return Tensor(dtype=wire, shape=array.shape, data=little.tobytes())


def from_tensor(tensor: Tensor, field: str, dtype: type[S], shape: tuple[int | None, ...] = (None,)) -> NDArray[S]:
    """Return the message's elements as a read-only view of its bytes.

    Args:
        tensor: The message.
        field: Path of the field, for the fault.
        dtype: Element type that the field's contract names.
        shape: Length of each axis; None takes any.

    Raises:
        InvalidRequest: Another dtype, number of axes, length of an axis, or number of bytes.
    """
    wanted = np.dtype(dtype)
    if _DTYPES.get(tensor.dtype) != wanted.newbyteorder("<"):
        found = _NAMES.get(tensor.dtype, "no element type")
        raise invalid(field, "tensor.dtype", f"must be {wanted.name}, is {found}")
    found_shape = tuple(tensor.shape)
    fits = len(found_shape) == len(shape) and all(
        want is None or want == have for want, have in zip(shape, found_shape, strict=True)
    )
    if not fits:
        raise invalid(field, "tensor.shape", f"must be {_shape_text(shape)}, is {_shape_text(found_shape)}")
    size = wanted.itemsize
    for axis in found_shape:
        size *= axis
    if size != len(tensor.data):
        raise invalid(field, "tensor.data", f"must hold {size} bytes, holds {len(tensor.data)}")
    flat = np.frombuffer(tensor.data, dtype=wanted.newbyteorder("<"))
    return flat.reshape(found_shape).astype(wanted, copy=False)


def _shape_text(shape: Iterable[int | None]) -> str:
    return "[" + ", ".join("any" if axis is None else str(axis) for axis in shape) + "]"
