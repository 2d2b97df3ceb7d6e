"""ONNX Runtime sessions: verified bytes in, a deterministic one-thread graph of a known interface out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

# Since 1.32 ONNX Runtime reports its use to its maker, from a thread of its own and with an id kept in the home folder,
# unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

from loopwright.faults import translate
from loopwright.modelstore.golden import GoldenCase, compare
from loopwright.modelstore.operators import check_operators
from loopwright.modelstore.rejections import ModelFailed, ModelInvalid

Array = NDArray[Any]
DYNAMIC = "dynamic"
"""An axis whose length is free at each run."""
ANY = "any"
"""An axis whose length the model fixes."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output: name, element type as ONNX Runtime names it, and axes (`DYNAMIC`, `ANY` or a length)."""

    name: str
    dtype: str
    shape: tuple[str | int, ...]


class OnnxGraph:
    """One graph, ready to run: CPU, one thread, sequential, deterministic; safe to call from several threads."""

    def __init__(self, name: str, data: bytes, inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
        """Open a session.

        Raises:
            ModelInvalid: The bytes are no graph, or its interface is another one.
            ModelBatchDependent: It quantises dynamically.
        """
        check_operators(name, data)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.use_deterministic_compute = True
        options.log_severity_level = 4
        self.name = name
        with translate({Exception: ModelInvalid}):
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._outputs = [port.name for port in outputs]
        self.inputs = _matched(name, self._session.get_inputs(), inputs, widths_fixed=True)
        self.outputs = _matched(name, self._session.get_outputs(), outputs, widths_fixed=False)

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Return the outputs in the order of the interface.

        Raises:
            ModelFailed: The run failed, for instance on inputs of another shape.
        """
        with translate({Exception: ModelFailed}):
            return list(self._session.run(self._outputs, dict(feeds)))

    def check_golden(self, case: GoldenCase | None) -> GoldenCase:
        """Run the golden batch and return its case.

        Raises:
            ModelInvalid: There is none, or it does not fit the interface.
            ModelNotFinite: An output is not finite.
            ModelGoldenMismatch: An output is not the expected one.
        """
        if case is None or set(case.inputs) != set(self.inputs) or set(case.outputs) != set(self._outputs):
            raise ModelInvalid(f"the golden batch does not cover {self.name}")
        with translate({Exception: ModelInvalid}):
            got = list(self._session.run(self._outputs, dict(case.inputs)))
        for output, array in zip(self._outputs, got, strict=True):
            compare(self.name, output, array, case.outputs[output])
        return case


def _matched(
    graph: str, present: Sequence[Any], wanted: Sequence[Port], *, widths_fixed: bool
) -> dict[str, tuple[int | None, ...]]:
    by_name = {arg.name: arg for arg in present}
    if set(by_name) != {port.name for port in wanted}:
        raise ModelInvalid(f"{graph} has inputs or outputs of other names")
    for port in wanted:
        arg = by_name[port.name]
        if arg.type != port.dtype or len(arg.shape) != len(port.shape):
            raise ModelInvalid(f"{graph}: {port.name} must be {port.dtype} of {len(port.shape)} axes")
        for length, rule in zip(arg.shape, port.shape, strict=True):
            fixed = isinstance(length, int)
            free = rule == DYNAMIC or isinstance(rule, int)
            if (
                (rule == DYNAMIC and fixed)
                or (isinstance(rule, int) and fixed and length != rule)
                or (not free and widths_fixed and not fixed)
            ):
                raise ModelInvalid(f"{graph}: {port.name} has the wrong axes")
    return {port.name: tuple(n if isinstance(n, int) else None for n in by_name[port.name].shape) for port in wanted}
