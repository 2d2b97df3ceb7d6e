"""Utility: the weighted sum of head scores that candidates are ranked by, before any constraint."""

from __future__ import annotations

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.faults import FieldViolation, InvalidRequest
from loopwright.pipeline.plan import RETRIEVAL_HEAD
from loopwright.pipeline.types import F32, F64


def utilities(bundle: PolicyBundle, heads: F32, head_names: tuple[str, ...]) -> F64:
    """Return float64 [N]: sum over the bundle's weights, in order of head name, of weight times score.

    The order of summation is fixed so that every build derives the same bits from the same record.

    Args:
        bundle: Its `objective.weights` name the heads that count.
        heads: float32 [N, H].
        head_names: Names of the H columns.

    Raises:
        InvalidRequest: A weighted head is not among the columns.
    """
    if head_names == (RETRIEVAL_HEAD,):
        return heads[:, 0].astype(np.float64)
    total = np.zeros(len(heads), dtype=np.float64)
    for name, weight in bundle.objective.weights.items():
        if name not in head_names:
            description = f"must hold the weighted head {name!r}"
            raise InvalidRequest(
                f"head_names: {description}",
                violations=[FieldViolation("head_names", "slate.weighted", description)],
            )
        total += weight * heads[:, head_names.index(name)].astype(np.float64)
    return total
