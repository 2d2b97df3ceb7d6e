"""Models as content-addressed folders: who trained them puts them, who serves them loads and verifies them.

`manifest`, `store`, `rejections` and `contents` import no inference engine; `sessions` and `models` do.
"""

from loopwright.modelstore.manifest import Kind, Manifest, ModelFile, model_version
from loopwright.modelstore.rejections import (
    ModelBatchDependent,
    ModelFailed,
    ModelFeatureMismatch,
    ModelGoldenMismatch,
    ModelHashMismatch,
    ModelInvalid,
    ModelMissing,
    ModelNotFinite,
)
from loopwright.modelstore.store import LoadedModel, ModelStore

__all__ = [
    "Kind",
    "LoadedModel",
    "Manifest",
    "ModelBatchDependent",
    "ModelFailed",
    "ModelFeatureMismatch",
    "ModelFile",
    "ModelGoldenMismatch",
    "ModelHashMismatch",
    "ModelInvalid",
    "ModelMissing",
    "ModelNotFinite",
    "ModelStore",
    "model_version",
]
