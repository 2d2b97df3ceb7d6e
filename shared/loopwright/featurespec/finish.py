"""The last step of every column: float16, finite, within ±60,000."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import F16, F64, U8, U32

LARGEST = 60_000.0
NO_AGE = 0xFFFF_FFFF
"""Age of a group without facts."""

NEVER_LOG_HOURS = 12.0
"""Stands for "never" in columns of log1p(hours): about 18 years."""


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """Columns of n rows: columns float16 [n, C], ages_s uint32 [n, G], mask uint8 [n, G]; of one user without the n."""

    columns: F16
    ages_s: U32
    mask: U8


def finished(values: F64) -> F16:
    """Return the values as float16: not a number becomes 0, the rest is cut to ±60,000."""
    cut = np.clip(values, -LARGEST, LARGEST)  # keeps what is not a number
    broken = np.isnan(cut)
    if broken.any():
        cut[broken] = 0.0
    return cut.astype(np.float16)


def ages(now_ms: int, times_ms: np.ndarray, absent: np.ndarray) -> U32:
    """Return uint32: whole seconds from each time to now, 0 for later times, NO_AGE where absent."""
    seconds = np.clip((now_ms - times_ms) // 1000, 0, NO_AGE - 1)
    return np.where(absent, NO_AGE, seconds).astype(np.uint32)


def side_by_side(blocks: Sequence[ColumnBlock]) -> ColumnBlock:
    """Return the blocks joined along their columns and groups."""
    return ColumnBlock(
        np.concatenate([block.columns for block in blocks], axis=-1),
        np.concatenate([block.ages_s for block in blocks], axis=-1),
        np.concatenate([block.mask for block in blocks], axis=-1),
    )
