"""The two-tower model: histories and items in, embeddings of one inner-product space out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.vectors import F32, U64
from loopwright.featurespec.history import Vocabulary
from loopwright.featurespec.tower_content import TOWER_CONTENT
from loopwright.modelstore.arrays import array_bytes, read_array
from loopwright.modelstore.golden import GOLDEN_NAME, read_golden
from loopwright.modelstore.manifest import Kind, Manifest
from loopwright.modelstore.rejections import ModelFeatureMismatch, ModelInvalid, ModelNotFinite
from loopwright.modelstore.sessions import ANY, DYNAMIC, OnnxGraph, Port
from loopwright.modelstore.store import ModelStore
from loopwright.modelstore.verification import check_kind, check_rows_independent

I64 = NDArray[np.int64]

USER_TOWER, ITEM_TOWER, VOCABULARY = "user_tower.onnx", "item_tower.onnx", "vocabulary.npy"
_USER_INPUTS = (
    Port("history", "tensor(int64)", (DYNAMIC, DYNAMIC)),
    Port("weights", "tensor(float)", (DYNAMIC, DYNAMIC)),
)
_ITEM_INPUTS = (Port("item", "tensor(int64)", (DYNAMIC,)), Port("content", "tensor(float)", (DYNAMIC, ANY)))
_OUTPUTS = (Port("embedding", "tensor(float)", (DYNAMIC, ANY)),)


class TwoTower:
    """A verified two-tower model; safe to call from several threads."""

    def __init__(
        self, manifest: Manifest, user: OnnxGraph, item: OnnxGraph, vocabulary: Vocabulary, dimension: int
    ) -> None:
        self.manifest = manifest
        self.version = manifest.model_version
        self.vocabulary = vocabulary
        self.dimension = dimension
        self.content_width = item.inputs["content"][1] or 0
        if self.content_width > len(TOWER_CONTENT):
            raise ModelFeatureMismatch(f"the item tower reads more than {len(TOWER_CONTENT)} content columns")
        self._user = user
        self._item = item

    def embed_user(self, codes: I64, weights: F32) -> F32:
        """Return the user's embedding, float32 [d].

        Args:
            codes: int64 [1, L], as `featurespec.history.tower_input` makes them.
            weights: float32 [1, L].

        Raises:
            ModelNotFinite: The embedding is not finite.
        """
        (embedding,) = self._user.run({"history": codes, "weights": weights})
        user: F32 = _finite(USER_TOWER, embedding)[0]
        return user

    def embed_items(self, codes: I64, content: F32) -> F32:
        """Return the items' embeddings, float32 [n, d].

        Args:
            codes: int64 [n], 0 = outside the vocabulary.
            content: float32 [n, W], the first W content columns.

        Raises:
            ModelNotFinite: An embedding is not finite.
        """
        if not len(codes):
            return np.zeros((0, self.dimension), dtype=np.float32)
        (embedding,) = self._item.run({"item": codes, "content": content})
        return _finite(ITEM_TOWER, embedding)


def open_two_tower(store: ModelStore, version: str) -> TwoTower:
    """Return a two-tower model after every check.

    Raises:
        ModelRejected: One of its subclasses, named for what is wrong.
    """
    loaded = store.load(version)
    check_kind(loaded.manifest, Kind.TWO_TOWER)
    user = OnnxGraph(USER_TOWER, loaded.file(USER_TOWER), _USER_INPUTS, _OUTPUTS)
    item = OnnxGraph(ITEM_TOWER, loaded.file(ITEM_TOWER), _ITEM_INPUTS, _OUTPUTS)
    golden = read_golden(loaded.file(GOLDEN_NAME))
    user_case = user.check_golden(golden.get(USER_TOWER))
    item_case = item.check_golden(golden.get(ITEM_TOWER))
    dimension = user_case.outputs["embedding"].shape[1]
    if item_case.outputs["embedding"].shape[1] != dimension:
        raise ModelInvalid("the towers' embeddings differ in width")
    check_rows_independent(item, item_case, ("item", "content"), "embedding")
    tower = TwoTower(loaded.manifest, user, item, _vocabulary(loaded.file(VOCABULARY)), dimension)
    tower.embed_user(np.zeros((1, 1), np.int64), np.zeros((1, 1), np.float32))
    tower.embed_items(np.zeros(1, np.int64), np.zeros((1, tower.content_width), np.float32))
    return tower


def vocabulary_bytes(item_ids: U64) -> bytes:
    """Return `vocabulary.npy` of the items a model was trained on, in code order."""
    return array_bytes(item_ids.astype("<u8"))


def _vocabulary(data: bytes) -> Vocabulary:
    try:
        item_ids = read_array(data)
    except (ValueError, OSError, EOFError) as error:
        raise ModelInvalid(f"{VOCABULARY} is not a plain array") from error
    if item_ids.dtype != np.uint64 or item_ids.ndim != 1:
        raise ModelInvalid(f"{VOCABULARY} must be uint64 of one axis")
    if len(np.unique(item_ids)) != len(item_ids):
        raise ModelInvalid(f"{VOCABULARY} names an item twice")
    return Vocabulary(item_ids)


def _finite(graph: str, embedding: F32) -> F32:
    if not np.isfinite(embedding).all():
        raise ModelNotFinite(f"{graph} answers NaN or infinity")
    return embedding
