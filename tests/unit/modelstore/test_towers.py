from pathlib import Path

import numpy as np
import pytest
from tests.tiny_models import put_two_tower

from loopwright.modelstore import Kind, ModelFeatureMismatch, ModelInvalid, ModelStore
from loopwright.modelstore.models import VOCABULARY, open_two_tower, vocabulary_bytes

IDS = np.array([30, 10, 20], dtype=np.uint64)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path)


def test_the_towers_embed_into_one_space(store: ModelStore) -> None:
    tower = open_two_tower(store, put_two_tower(store, IDS, dim=4).model_version)
    user = tower.embed_user(np.array([[2]]), np.ones((1, 1), np.float32))
    items = tower.embed_items(np.array([2, 0]), np.zeros((2, 16), np.float32))
    assert tower.dimension == 4 and tower.content_width == 16
    np.testing.assert_allclose(user, items[0] + 0.01, atol=1e-6)
    np.testing.assert_array_equal(items[1], np.zeros(4))
    np.testing.assert_array_equal(tower.vocabulary.codes(np.array([10, 30, 99], np.uint64)), [2, 1, 0])


def test_no_items_have_no_embeddings(store: ModelStore) -> None:
    tower = open_two_tower(store, put_two_tower(store, IDS, dim=4).model_version)
    assert tower.embed_items(np.zeros(0, np.int64), np.zeros((0, 16), np.float32)).shape == (0, 4)


def object_array() -> bytes:
    import io

    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "vocabulary",
    [b"", object_array(), vocabulary_bytes(np.array([1, 1], np.uint64)), b"\x93NUMPY"],
    ids=["empty", "pickle", "twice", "cut"],
)
def test_a_vocabulary_that_is_not_distinct_plain_ids_is_invalid(store: ModelStore, vocabulary: bytes) -> None:
    files = dict(store.load(put_two_tower(store, IDS).model_version).files)
    version = store.put(Kind.TWO_TOWER, {**files, VOCABULARY: vocabulary}).model_version
    with pytest.raises(ModelInvalid):
        open_two_tower(store, version)


def test_an_item_tower_of_more_columns_than_we_have_is_refused(store: ModelStore) -> None:
    with pytest.raises(ModelFeatureMismatch):
        open_two_tower(store, put_two_tower(store, IDS, width=99).model_version)
