import json
from pathlib import Path

import pytest

from loopwright.modelstore import Kind, ModelHashMismatch, ModelInvalid, ModelMissing, ModelStore

FILES = {"ranker.onnx": b"graph", "golden.npz": b"batch"}


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def test_a_model_comes_back_as_it_was_put(store: ModelStore) -> None:
    manifest = store.put(Kind.RANKER, FILES, feature_groups=("a.v1",), heads=("engage",), details={"seed": 1})
    loaded = store.load(manifest.model_version)
    assert dict(loaded.files) == FILES
    assert loaded.manifest == manifest
    assert store.versions() == [manifest.model_version]


def test_the_version_follows_from_contents_and_not_from_details(store: ModelStore) -> None:
    first = store.put(Kind.RANKER, FILES, details={"seed": 1})
    again = store.put(Kind.RANKER, dict(reversed(FILES.items())), details={"seed": 2})
    assert again.model_version == first.model_version
    others = [
        store.put(Kind.PRE_RANKER, FILES),
        store.put(Kind.RANKER, {**FILES, "ranker.onnx": b"other"}),
        store.put(Kind.RANKER, FILES, feature_groups=("a.v1",)),
        store.put(Kind.RANKER, FILES, signals=("s",)),
        store.put(Kind.RANKER, FILES, heads=("h",)),
    ]
    assert len({first.model_version, *(m.model_version for m in others)}) == 6


@pytest.mark.parametrize("name", ["../evil.onnx", "/etc/x.onnx", "a/b.onnx", "model.pkl", "Ranker.onnx", "", ".onnx"])
def test_a_file_name_that_could_leave_the_folder_is_refused(store: ModelStore, name: str) -> None:
    with pytest.raises(ModelInvalid):
        store.put(Kind.RANKER, {name: b""})
    assert store.versions() == []


@pytest.mark.parametrize("version", ["", "../x", "A" * 64, "0" * 63, "0" * 64 + "/.."])
def test_a_version_that_is_no_hash_is_refused(store: ModelStore, version: str) -> None:
    with pytest.raises(ModelInvalid):
        store.load(version)


def test_a_model_that_is_not_there_is_missing(store: ModelStore) -> None:
    with pytest.raises(ModelMissing):
        store.load("0" * 64)


def test_a_changed_file_is_refused_and_the_message_names_it(store: ModelStore) -> None:
    version = store.put(Kind.RANKER, FILES).model_version
    (store.path(version) / "ranker.onnx").write_bytes(b"grapH")
    with pytest.raises(ModelHashMismatch, match=r"ranker\.onnx"):
        store.load(version)


def test_a_removed_file_is_missing(store: ModelStore) -> None:
    version = store.put(Kind.RANKER, FILES).model_version
    (store.path(version) / "golden.npz").unlink()
    with pytest.raises(ModelMissing):
        store.load(version)


def test_a_link_is_not_followed(store: ModelStore, tmp_path: Path) -> None:
    version = store.put(Kind.RANKER, FILES).model_version
    outside = tmp_path / "outside"
    outside.write_bytes(b"graph")
    (store.path(version) / "ranker.onnx").unlink()
    (store.path(version) / "ranker.onnx").symlink_to(outside)
    with pytest.raises(ModelInvalid):
        store.load(version)


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "pre_ranker"), ("feature_groups", ["x.v1"]), ("heads", ["x"]), ("model_version", "0" * 64)],
)
def test_an_edited_manifest_is_not_that_of_its_version(store: ModelStore, field: str, value: object) -> None:
    version = store.put(Kind.RANKER, FILES).model_version
    path = store.path(version) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(ModelHashMismatch):
        store.load(version)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "poem"}'])
def test_a_manifest_that_does_not_parse_is_invalid(store: ModelStore, text: str) -> None:
    version = store.put(Kind.RANKER, FILES).model_version
    (store.path(version) / "manifest.json").write_text(text)
    with pytest.raises(ModelInvalid):
        store.load(version)


def test_putting_a_model_again_mends_a_damaged_folder(store: ModelStore) -> None:
    version = store.put(Kind.RANKER, FILES).model_version
    (store.path(version) / "ranker.onnx").write_bytes(b"grapH")
    store.put(Kind.RANKER, FILES)
    assert dict(store.load(version).files) == FILES


def test_a_put_leaves_nothing_half_written(store: ModelStore) -> None:
    version = store.put(Kind.RANKER, FILES).model_version
    store.put(Kind.RANKER, FILES)
    assert sorted(p.name for p in store.path(version).parent.iterdir()) == [version]
