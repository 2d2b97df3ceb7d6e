"""Plain arrays as bytes in npy format, never pickled; golden batches and vocabularies are read and written here."""

from __future__ import annotations

import io
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Two threads that parse a header at once may fail: CPython 3.11 counts the depth of the syntax tree for the whole
# interpreter ("AST constructor recursion depth mismatch", python/cpython issue 106905).
_ONE_AT_A_TIME = threading.Lock()


def array_bytes(array: NDArray[Any]) -> bytes:
    """Return an array's npy bytes; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def read_array(data: bytes) -> NDArray[Any]:
    """Return the array of npy bytes.

    Raises:
        ValueError: The bytes are damaged, or hold anything but a plain array.
        EOFError: They are cut off.
    """
    with _ONE_AT_A_TIME:
        return np.asarray(np.lib.format.read_array(io.BytesIO(data), allow_pickle=False))
