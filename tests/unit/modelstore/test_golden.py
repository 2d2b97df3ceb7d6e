import io
import zipfile

import numpy as np
import pytest

from loopwright.modelstore import ModelGoldenMismatch, ModelInvalid, ModelNotFinite
from loopwright.modelstore.golden import GoldenCase, compare, golden_bytes, read_golden

CASE = GoldenCase({"x": np.arange(6, dtype=np.float16).reshape(2, 3)}, {"y": np.ones(2, np.float32)})


def test_a_golden_batch_comes_back_as_it_was_written_and_the_bytes_repeat() -> None:
    data = golden_bytes({"ranker.onnx": CASE})
    assert data == golden_bytes({"ranker.onnx": CASE})
    case = read_golden(data)["ranker.onnx"]
    np.testing.assert_array_equal(case.inputs["x"], CASE.inputs["x"])
    assert case.inputs["x"].dtype == np.float16
    np.testing.assert_array_equal(case.outputs["y"], CASE.outputs["y"])


def pickled() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        part = io.BytesIO()
        np.save(part, np.array([{}], dtype=object), allow_pickle=True)
        archive.writestr("ranker.onnx:in:x.npy", part.getvalue())
    return buffer.getvalue()


@pytest.mark.parametrize("data", [b"", b"PK", golden_bytes({"ranker.onnx": CASE})[:-40], pickled()])
def test_a_file_that_is_not_plain_arrays_is_refused(data: bytes) -> None:
    with pytest.raises(ModelInvalid):
        read_golden(data)


def test_an_output_within_the_tolerance_passes_and_one_beyond_does_not() -> None:
    expected = np.array([1000.0, 0.5])
    compare("g", "y", expected * (1 + 9e-6), expected)
    with pytest.raises(ModelGoldenMismatch):
        compare("g", "y", expected + np.array([0, 2e-5]), expected)
    with pytest.raises(ModelGoldenMismatch):
        compare("g", "y", expected[:1], expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_named_as_such(bad: float) -> None:
    with pytest.raises(ModelNotFinite):
        compare("g", "y", np.array([bad]), np.array([bad]))
