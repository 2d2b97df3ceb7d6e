from pathlib import Path

import numpy as np
import pytest
from tests.tiny_models import HEADS, K, put_scorer, scorer

from loopwright.featurespec.signals import SIGNALS
from loopwright.modelstore import (
    Kind,
    ModelBatchDependent,
    ModelFailed,
    ModelFeatureMismatch,
    ModelGoldenMismatch,
    ModelHashMismatch,
    ModelInvalid,
    ModelNotFinite,
    ModelStore,
)
from loopwright.modelstore.golden import GoldenCase, golden_bytes, read_golden
from loopwright.modelstore.models import open_pre_ranker, open_ranker

GROUPS = ("u.v1", "i.v1")
OPEN = {Kind.PRE_RANKER: open_pre_ranker, Kind.RANKER: open_ranker}


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path)


def test_both_rankers_score_rows_in_order(store: ModelStore) -> None:
    rng = np.random.default_rng(0)
    user, items = rng.normal(size=3).astype(np.float16), rng.normal(size=(9, 4)).astype(np.float16)
    signals = rng.normal(size=(9, K)).astype(np.float32)
    pre = open_pre_ranker(store, put_scorer(store, Kind.PRE_RANKER, 3, 4, GROUPS).model_version, GROUPS)
    ranker = open_ranker(store, put_scorer(store, Kind.RANKER, 3, 4, GROUPS).model_version, GROUPS)
    scores, heads = pre.score(user, items, signals), ranker.score(user, items, signals, 1.0)
    assert scores.shape == (9,) and heads.shape == (9, 2) and ranker.heads == HEADS
    np.testing.assert_allclose(pre.score(user, items[::-1], signals[::-1]), scores[::-1], atol=1e-6)
    np.testing.assert_allclose(ranker.score(user, items, signals, 3.0), heads - 0.02, atol=1e-6)
    np.testing.assert_array_equal(ranker.score(user, items, signals, 1.0), heads)


@pytest.mark.parametrize("kind", [Kind.PRE_RANKER, Kind.RANKER])
def test_a_model_that_yields_nan_is_refused(store: ModelStore, kind: Kind) -> None:
    version = put_scorer(store, kind, 3, 4, GROUPS, nan=True).model_version
    with pytest.raises(ModelNotFinite):
        OPEN[kind](store, version, GROUPS)


@pytest.mark.parametrize("kind", [Kind.PRE_RANKER, Kind.RANKER])
def test_a_model_for_other_feature_groups_is_refused_with_their_names(store: ModelStore, kind: Kind) -> None:
    version = put_scorer(store, kind, 3, 4, ("u.v1", "i.v2")).model_version
    with pytest.raises(ModelFeatureMismatch, match=r"i\.v1, i\.v2"):
        OPEN[kind](store, version, GROUPS)
    with pytest.raises(ModelFeatureMismatch, match="order"):
        OPEN[kind](store, version, ("i.v2", "u.v1"))


def test_a_model_for_other_signals_is_refused(store: ModelStore) -> None:
    files = scorer(Kind.PRE_RANKER, 3, 4)
    version = store.put(Kind.PRE_RANKER, files, feature_groups=GROUPS, signals=SIGNALS[:-1]).model_version
    with pytest.raises(ModelFeatureMismatch):
        open_pre_ranker(store, version, GROUPS)


def test_a_corrupted_file_is_refused(store: ModelStore) -> None:
    version = put_scorer(store, Kind.RANKER, 3, 4, GROUPS).model_version
    path = store.path(version) / "ranker.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelHashMismatch):
        open_ranker(store, version, GROUPS)


def test_a_ranker_whose_rows_lean_on_each_other_is_refused(store: ModelStore) -> None:
    version = put_scorer(store, Kind.RANKER, 3, 4, GROUPS, flavour="batch").model_version
    with pytest.raises(ModelBatchDependent):
        open_ranker(store, version, GROUPS)


def changed_golden(files: dict[str, bytes], change: float) -> dict[str, bytes]:
    case = read_golden(files["golden.npz"])["ranker.onnx"]
    moved = GoldenCase(case.inputs, {"heads": case.outputs["heads"] + np.float32(change)})
    return {**files, "golden.npz": golden_bytes({"ranker.onnx": moved})}


def test_a_model_that_does_not_reproduce_its_golden_batch_is_refused(store: ModelStore) -> None:
    files = changed_golden(scorer(Kind.RANKER, 3, 4), 1e-3)
    version = store.put(Kind.RANKER, files, feature_groups=GROUPS, signals=SIGNALS, heads=HEADS).model_version
    with pytest.raises(ModelGoldenMismatch):
        open_ranker(store, version, GROUPS)


@pytest.mark.parametrize(
    ("files", "heads"),
    [
        (scorer(Kind.PRE_RANKER, 3, 4), HEADS),
        ({"ranker.onnx": scorer(Kind.RANKER, 3, 4)["ranker.onnx"]}, HEADS),
        (scorer(Kind.RANKER, 3, 4), ("engage",)),
        ({**scorer(Kind.RANKER, 3, 4), "ranker.onnx": b"not a graph"}, HEADS),
    ],
    ids=["other graph", "no golden batch", "other heads", "no graph"],
)
def test_a_model_of_another_shape_is_invalid(
    store: ModelStore, files: dict[str, bytes], heads: tuple[str, ...]
) -> None:
    version = store.put(Kind.RANKER, files, feature_groups=GROUPS, signals=SIGNALS, heads=heads).model_version
    with pytest.raises(ModelInvalid):
        open_ranker(store, version, GROUPS)


def test_a_model_of_another_kind_is_invalid(store: ModelStore) -> None:
    version = put_scorer(store, Kind.PRE_RANKER, 3, 4, GROUPS).model_version
    with pytest.raises(ModelInvalid):
        open_ranker(store, version, GROUPS)


def test_a_run_on_other_widths_fails_as_our_fault(store: ModelStore) -> None:
    pre = open_pre_ranker(store, put_scorer(store, Kind.PRE_RANKER, 3, 4, GROUPS).model_version)
    with pytest.raises(ModelFailed):
        pre.score(np.zeros(3, np.float16), np.zeros((2, 5), np.float16), np.zeros((2, K), np.float32))


def test_an_output_that_is_not_finite_in_service_is_a_fault(store: ModelStore) -> None:
    version = put_scorer(store, Kind.PRE_RANKER, 3, 4, GROUPS, flavour="trap").model_version
    pre = open_pre_ranker(store, version, GROUPS)
    signals = np.zeros((2, K), np.float32)
    user, items = np.zeros(3, np.float16), np.zeros((2, 4), np.float16)
    assert np.isfinite(pre.score(user, items, signals)).all()
    signals[1, 0] = 7
    with pytest.raises(ModelNotFinite):
        pre.score(user, items, signals)
