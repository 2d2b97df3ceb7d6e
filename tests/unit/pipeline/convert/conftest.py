"""Arrays of arbitrary bits and a comparison of dataclasses that looks at bits, for the round-trip tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray


class Arrays:
    """Makes arrays of arbitrary bits, NaN and infinities among them, from one seed."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def __call__(self, dtype: type[np.generic], *shape: int) -> NDArray[Any]:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return np.frombuffer(self._rng.bytes(size), dtype=dtype).reshape(shape)


def _same(left: object, right: object) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(_same(a, b) for a, b in zip(left, right, strict=True))
    if is_dataclass(left) and type(left) is type(right):
        return all(_same(getattr(left, f.name), getattr(right, f.name)) for f in fields(left))
    return type(left) is type(right) and left == right


@pytest.fixture(scope="session")
def arrays() -> Callable[[int], Arrays]:
    return Arrays


@pytest.fixture(scope="session")
def same() -> Callable[[object, object], bool]:
    return _same
