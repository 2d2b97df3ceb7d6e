"""Why a model is refused: one fault per condition; the reason code travels to readiness reports and operators."""

from __future__ import annotations

from loopwright.faults import Fault, Kind, ModelRejected


class ModelMissing(ModelRejected):
    """The model store holds no model of this version."""

    reason = "MODEL_MISSING"


class ModelHashMismatch(ModelRejected):
    """A file's contents are not those that the model version names."""

    reason = "MODEL_HASH_MISMATCH"


class ModelInvalid(ModelRejected):
    """The model is malformed, uses an operator that is not allowed, or has another interface."""

    reason = "MODEL_INVALID"


class ModelFeatureMismatch(ModelRejected):
    """The model was trained on other feature groups or signals than it would be given."""

    reason = "MODEL_FEATURE_MISMATCH"


class ModelNotFinite(ModelRejected):
    """The model answers NaN or infinity to finite inputs."""

    reason = "MODEL_NOT_FINITE"


class ModelGoldenMismatch(ModelRejected):
    """The model does not reproduce the outputs of its golden batch."""

    reason = "MODEL_GOLDEN_MISMATCH"


class ModelBatchDependent(ModelRejected):
    """The score of a row depends on the other rows of its batch."""

    reason = "MODEL_BATCH_DEPENDENT"


class ModelFailed(Fault):
    """A verified model failed while it ran."""

    kind = Kind.INTERNAL
    reason = "MODEL_FAILED"
