"""The pre-ranker and the multi-task ranker: columns and signals of one request in, scores in request order out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.vectors import F16, F32
from loopwright.modelstore.golden import GOLDEN_NAME, read_golden
from loopwright.modelstore.manifest import Kind, Manifest
from loopwright.modelstore.rejections import ModelFeatureMismatch, ModelInvalid, ModelNotFinite
from loopwright.modelstore.sessions import ANY, DYNAMIC, OnnxGraph, Port
from loopwright.modelstore.store import ModelStore
from loopwright.modelstore.verification import check_features, check_kind, check_rows_independent

PRE_RANKER, RANKER = "pre_ranker.onnx", "ranker.onnx"
_ROWS = ("items", "signals")
_LARGEST = 60_000.0  # columns are float16 with |x| at most this, by definition
_INPUTS = (
    Port("user", "tensor(float16)", (1, ANY)),
    Port("items", "tensor(float16)", (DYNAMIC, ANY)),
    Port("signals", "tensor(float)", (DYNAMIC, ANY)),
)
_POSITION = Port("position", "tensor(float)", (1,))
_SCORE = Port("score", "tensor(float)", (DYNAMIC,))
_HEADS = Port("heads", "tensor(float)", (DYNAMIC, ANY))


class _Scorer:
    """What both rankers share: a verified graph over user, items and signals."""

    def __init__(self, manifest: Manifest, graph: OnnxGraph) -> None:
        self.manifest = manifest
        self.version = manifest.model_version
        self.feature_groups = manifest.feature_groups
        self.user_width = graph.inputs["user"][1] or 0
        self.item_width = graph.inputs["items"][1] or 0
        self.signal_width = graph.inputs["signals"][1] or 0
        self._graph = graph

    def _run(self, user: F16, items: F16, signals: F32, **more: F32) -> NDArray[Any]:
        (scores,) = self._graph.run({"user": user.reshape(1, -1), "items": items, "signals": signals, **more})
        if not np.isfinite(scores).all():
            raise ModelNotFinite(f"{self._graph.name} answers NaN or infinity")
        return scores

    def _feeds(self, value: float) -> tuple[F16, F16, F32]:
        return (
            np.full(self.user_width, value, np.float16),
            np.full((2, self.item_width), value, np.float16),
            np.full((2, self.signal_width), value, np.float32),
        )


class PreRanker(_Scorer):
    """A verified pre-ranker; safe to call from several threads."""

    def score(self, user: F16, items: F16, signals: F32) -> F32:
        """Return float32 [n], higher is better.

        Args:
            user: float16 [U].
            items: float16 [n, C].
            signals: float32 [n, K].

        Raises:
            ModelNotFinite: A score is not finite.
            ModelFailed: The graph failed, for instance on other widths.
        """
        return self._run(user, items, signals)


class MultiTaskRanker(_Scorer):
    """A verified multi-task ranker; safe to call from several threads."""

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the heads, in column order."""
        return self.manifest.heads

    def score(self, user: F16, items: F16, signals: F32, position: float) -> F32:
        """Return float32 [n, H].

        Args:
            user: float16 [U].
            items: float16 [n, C].
            signals: float32 [n, K].
            position: The position, from 1, that every item is scored at.

        Raises:
            ModelNotFinite: A score is not finite.
            ModelFailed: The graph failed, for instance on other widths.
        """
        return self._run(user, items, signals, position=np.array([position], dtype=np.float32))


def open_pre_ranker(store: ModelStore, version: str, feature_groups: Sequence[str] | None = None) -> PreRanker:
    """Return a pre-ranker after every check.

    Args:
        store: Where it lies.
        version: Its version.
        feature_groups: Groups of the columns it will be given; None: do not check.

    Raises:
        ModelRejected: One of its subclasses, named for what is wrong.
    """
    manifest, graph = _open(store, version, Kind.PRE_RANKER, PRE_RANKER, _INPUTS, _SCORE, feature_groups)
    ranker = PreRanker(manifest, graph)
    _check_width(ranker)
    for value in (0.0, _LARGEST, -_LARGEST):
        ranker.score(*ranker._feeds(value))
    return ranker


def open_ranker(store: ModelStore, version: str, feature_groups: Sequence[str] | None = None) -> MultiTaskRanker:
    """Return a multi-task ranker after every check; arguments and faults as `open_pre_ranker`."""
    manifest, graph = _open(store, version, Kind.RANKER, RANKER, (*_INPUTS, _POSITION), _HEADS, feature_groups)
    ranker = MultiTaskRanker(manifest, graph)
    _check_width(ranker)
    for value in (0.0, _LARGEST, -_LARGEST):
        if ranker.score(*ranker._feeds(value), 1.0).shape[1] != len(ranker.heads):
            raise ModelInvalid(f"{RANKER} has another number of heads than its manifest names")
    return ranker


def _open(
    store: ModelStore,
    version: str,
    kind: Kind,
    file: str,
    inputs: Sequence[Port],
    output: Port,
    feature_groups: Sequence[str] | None,
) -> tuple[Manifest, OnnxGraph]:
    loaded = store.load(version)
    check_kind(loaded.manifest, kind)
    check_features(loaded.manifest, feature_groups)
    graph = OnnxGraph(file, loaded.file(file), inputs, (output,))
    case = graph.check_golden(read_golden(loaded.file(GOLDEN_NAME)).get(file))
    check_rows_independent(graph, case, _ROWS, output.name)
    return loaded.manifest, graph


def _check_width(ranker: _Scorer) -> None:
    if ranker.signal_width != len(ranker.manifest.signals):
        raise ModelFeatureMismatch("the graph reads another number of signals than its manifest names")
