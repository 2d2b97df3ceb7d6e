"""`Examples`: decisions with labelled rows, flattened; pseudo-decisions of organic rows beside slates of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import F16, F32, I64, U8, Bools
from loopwright.trainer.labels.exposures import Exposed

UNLABELLED, ENGAGED, SATISFIED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Examples:
    """D decisions with N rows, decision by decision.

    Attributes:
        user_columns: float16 [D, U].
        starts: int64 [D + 1], first row of each decision.
        item_columns: float16 [N, C].
        signals: float32 [N, K].
        labels: uint8 [N]; 0 not engaged, 1 engaged, 2 engaged and satisfied.
        weights: float32 [N], inverse propensity of slates, 1 for pseudo-decisions.
        positions: float32 [N], position shown at, 1 for pseudo-decisions.
        slates: bool [D], whether a slate of ours was shown; else the rows are candidates of a pseudo-decision.
    """

    user_columns: F16
    starts: I64
    item_columns: F16
    signals: F32
    labels: U8
    weights: F32
    positions: F32
    slates: Bools

    def __len__(self) -> int:
        return len(self.slates)

    @property
    def decisions(self) -> I64:
        """int64 [N], the decision of each row."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision's rows, before they are flattened; arrays as in `Examples`."""

    user_columns: F16
    item_columns: F16
    signals: F32
    labels: U8
    weights: F32
    positions: F32
    slate: bool


def pseudo_decision(user_columns: F16, item_columns: F16, signals: F32, labels: U8) -> Decision:
    """Return candidates of an organic user as a decision; nothing was shown, so nothing is weighted."""
    ones = np.ones(len(labels), dtype=np.float32)
    return Decision(user_columns, item_columns, signals, labels, ones, ones, False)


def matured(exposed: Sequence[Exposed], newest_ms: int, maturity_s: float) -> list[Exposed]:
    """Return the rows that were first seen at least `maturity_s` before `newest_ms`; slates without any are gone.

    Younger rows with an action go as well: kept without the rows beside them, they would raise the rate of engagement.
    """
    latest_ms = newest_ms - 1000 * maturity_s
    kept = [slate.take(slate.seen_ms <= latest_ms) for slate in exposed]
    return [slate for slate in kept if len(slate.item_ids)]


def slate_decisions(exposed: Sequence[Exposed], clip: float) -> list[Decision]:
    """Return slates as decisions, each row weighted by 1 / p_shown.

    Args:
        exposed: Seen rows with what was served.
        clip: Largest weight; the bundle's `learning.ips_clip`. Weights are then divided by their mean.
    """
    if not exposed:
        return []
    raw = [np.minimum(1.0 / row.p_shown.astype(np.float64), clip) for row in exposed]
    mean = float(np.concatenate(raw).mean())
    return [
        Decision(
            row.user_columns,
            row.item_columns,
            row.signals,
            row.labels,
            (weight / mean).astype(np.float32),
            np.maximum(row.positions, np.float32(1)),
            True,
        )
        for row, weight in zip(exposed, raw, strict=True)
    ]


def examples(decisions: Sequence[Decision], widths: tuple[int, int, int]) -> Examples:
    """Return decisions flattened; `widths` are those of user columns, item columns and signals."""
    user, item, signal = widths
    sizes = [len(decision.labels) for decision in decisions]
    return Examples(
        _joined([decision.user_columns[None] for decision in decisions], np.zeros((0, user), np.float16)),
        np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64),
        _joined([decision.item_columns for decision in decisions], np.zeros((0, item), np.float16)),
        _joined([decision.signals for decision in decisions], np.zeros((0, signal), np.float32)),
        _joined([decision.labels for decision in decisions], np.zeros(0, np.uint8)),
        _joined([decision.weights for decision in decisions], np.zeros(0, np.float32)),
        _joined([decision.positions for decision in decisions], np.zeros(0, np.float32)),
        np.array([decision.slate for decision in decisions], dtype=np.bool_),
    )


def _joined(parts: Sequence[np.ndarray], nothing: np.ndarray) -> np.ndarray:
    return np.concatenate([nothing, *parts])
