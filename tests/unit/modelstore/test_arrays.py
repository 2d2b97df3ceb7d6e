from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from loopwright.modelstore.arrays import array_bytes, read_array


@pytest.mark.parametrize("dtype", ["<u8", "<f2", "<f4", "<i8", "?"])
def test_an_array_comes_back_as_it_was(dtype: str) -> None:
    array = np.arange(12).reshape(3, 4).astype(dtype)
    found = read_array(array_bytes(array))
    assert found.dtype == array.dtype and (found == array).all()


def test_equal_arrays_give_equal_bytes() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert array_bytes(array) == array_bytes(array.T.copy().T)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", array_bytes(np.arange(9))[:-3], b"\x93NUMPY\x01\x00\x02\x00{}"])
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises((ValueError, EOFError)):
        read_array(data)


def test_objects_are_neither_written_nor_read() -> None:
    with pytest.raises(ValueError, match="pickle"):
        array_bytes(np.array([object()]))


def test_threads_may_read_side_by_side() -> None:
    data = array_bytes(np.arange(1000))
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(read_array, [data] * 400))
    assert all(len(array) == 1000 for array in found)
