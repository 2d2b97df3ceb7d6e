"""The golden batch: inputs and expected outputs of each graph of a model, as one `golden.npz` without pickle."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopwright.modelstore.arrays import array_bytes, read_array
from loopwright.modelstore.rejections import ModelGoldenMismatch, ModelInvalid, ModelNotFinite

GOLDEN_NAME = "golden.npz"
TOLERANCE = 1e-5
"""Largest difference, relative to max(1, |x|); the export's parity gate uses the same number."""
MAX_GOLDEN_BYTES = 256 << 20

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """Inputs of one graph and the outputs that training computed for them, by name."""

    inputs: Mapping[str, Array] = field(default_factory=dict)
    outputs: Mapping[str, Array] = field(default_factory=dict)


def golden_bytes(cases: Mapping[str, GoldenCase]) -> bytes:
    """Return the file of the cases, keyed by graph file name; equal cases give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for graph, case in sorted(cases.items()):
            for side, arrays in (("in", case.inputs), ("out", case.outputs)):
                for name, array in sorted(arrays.items()):
                    archive.writestr(zipfile.ZipInfo(f"{graph}:{side}:{name}.npy"), array_bytes(array))
    return buffer.getvalue()


def read_golden(data: bytes) -> dict[str, GoldenCase]:
    """Return the cases of a file, by graph file name.

    Raises:
        ModelInvalid: The file is damaged, too large, or holds anything but plain arrays.
    """
    collected: dict[str, tuple[dict[str, Array], dict[str, Array]]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_GOLDEN_BYTES:
                raise ModelInvalid("the golden batch is too large")
            for info in archive.infolist():
                graph, side, name = info.filename.removesuffix(".npy").split(":")
                array = read_array(archive.read(info))
                collected.setdefault(graph, ({}, {}))[("in", "out").index(side)][name] = array
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise ModelInvalid("the golden batch is not readable") from error
    return {graph: GoldenCase(inputs, outputs) for graph, (inputs, outputs) in collected.items()}


def compare(graph: str, output: str, got: Array, expected: Array) -> None:
    """Refuse an output that is not finite or not the expected one.

    Raises:
        ModelNotFinite: `got` holds NaN or infinity.
        ModelGoldenMismatch: Shapes differ, or a value by more than `TOLERANCE`.
    """
    if not np.isfinite(got).all():
        raise ModelNotFinite(f"{graph} answers NaN or infinity to its golden batch")
    if got.shape != expected.shape:
        raise ModelGoldenMismatch(f"{graph}: {output} has another shape than in the golden batch")
    if not close(got, expected):
        raise ModelGoldenMismatch(f"{graph}: {output} differs from the golden batch by more than {TOLERANCE}")


def close(got: Array, expected: Array) -> bool:
    """Tell whether two arrays of one shape agree within `TOLERANCE`; a NaN agrees with nothing."""
    want = expected.astype(np.float64)
    return bool((np.abs(got.astype(np.float64) - want) <= TOLERANCE * np.maximum(1.0, np.abs(want))).all())
