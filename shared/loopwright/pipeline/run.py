"""`PipelineRun`: everything that came of one request's stages; the runner makes it, `assemble` puts it on record."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from loopwright.domain.enums import Stage
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.types import U8, CandidateSet, Degradation, ItemColumns, Scores, Slate, UserContext


@dataclass(slots=True)
class PipelineRun:
    """What every stage of one request gave, with stage timings in microseconds."""

    plan: Plan
    user: UserContext
    found: CandidateSet
    items: ItemColumns
    scores: Scores
    guards: U8
    slate: Slate
    degradations: list[Degradation] = field(default_factory=list)
    timings_us: dict[Stage, int] = field(default_factory=dict)


def scattered(rows: np.ndarray, values: np.ndarray, length: int, fill: float = 0) -> np.ndarray:
    """Return an array of `length` rows holding `values` at `rows` and `fill` elsewhere."""
    out = np.full((length, *values.shape[1:]), fill, dtype=values.dtype)
    out[rows] = values
    return out
