"""Checks that models of every kind pass before they serve: kind, feature groups, signals, independence of rows."""

from __future__ import annotations

from collections.abc import Sequence

from loopwright.featurespec.signals import SIGNALS
from loopwright.modelstore.golden import GoldenCase, close
from loopwright.modelstore.manifest import Kind, Manifest
from loopwright.modelstore.rejections import ModelBatchDependent, ModelFeatureMismatch, ModelInvalid
from loopwright.modelstore.sessions import OnnxGraph

SMALLEST_GOLDEN_BATCH = 4
"""Rows a golden batch needs, so that parts of it can be scored apart."""


def check_kind(manifest: Manifest, kind: Kind) -> None:
    """Refuse a model of another kind.

    Raises:
        ModelInvalid: It is.
    """
    if manifest.kind is not kind:
        raise ModelInvalid(f"the model is a {manifest.kind.value}, not a {kind.value}")


def check_features(manifest: Manifest, feature_groups: Sequence[str] | None) -> None:
    """Refuse a model that reads other columns than it would be given.

    Args:
        manifest: The model's manifest.
        feature_groups: Groups of the columns in order; None skips this check.

    Raises:
        ModelFeatureMismatch: Groups or signals differ.
    """
    if feature_groups is not None and tuple(feature_groups) != manifest.feature_groups:
        trained, given = set(manifest.feature_groups), set(feature_groups)
        odd = sorted(trained ^ given) or ["their order"]
        raise ModelFeatureMismatch(f"the model was trained on other feature groups: {', '.join(odd)}")
    if manifest.signals != SIGNALS:
        raise ModelFeatureMismatch("the model was trained on other retrieval signals")


def check_rows_independent(graph: OnnxGraph, case: GoldenCase, row_inputs: Sequence[str], output: str) -> None:
    """Refuse a graph whose answer for a row changes with the other rows of the batch.

    Runs the golden batch's first row alone, its halves, and its reverse.

    Args:
        graph: The graph.
        case: Its golden case.
        row_inputs: Names of the inputs whose first axis counts rows.
        output: Name of the output whose first axis counts rows.

    Raises:
        ModelInvalid: The golden batch has too few rows.
        ModelBatchDependent: An answer moved by more than the tolerance.
    """
    n = len(case.inputs[row_inputs[0]])
    if n < SMALLEST_GOLDEN_BATCH:
        raise ModelInvalid(f"{graph.name}: a golden batch needs {SMALLEST_GOLDEN_BATCH} rows")
    expected = case.outputs[output]
    for part in (slice(0, 1), slice(0, n // 2), slice(n // 2, n), slice(None, None, -1)):
        feeds = {name: array[part] if name in row_inputs else array for name, array in case.inputs.items()}
        got = dict(zip(graph.outputs, graph.run(feeds), strict=True))[output]
        if got.shape != expected[part].shape or not close(got, expected[part]):
            raise ModelBatchDependent(f"{graph.name}: a row's answer depends on the other rows")
