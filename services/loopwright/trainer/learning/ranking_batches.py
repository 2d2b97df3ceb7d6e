"""Examples in, batches of rows for the ranker out: sampled negatives with their logQ, weights, positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import F32, I64, U8, Bools
from loopwright.trainer.dataset.examples import UNLABELLED, Examples
from loopwright.trainer.learning.settings import RankerSettings


@dataclass(frozen=True, slots=True)
class RankingBatch:
    """m rows of b decisions.

    Attributes:
        rows: int64 [m], rows of the examples.
        places: int64 [m], number of the row's decision within the batch.
        labels: uint8 [m].
        log_rate: float32 [m], log of the share of the decision's negatives drawn; 0 for rows that were certain.
        weights: float32 [m], inverse propensities.
        log_positions: float32 [m].
        slates: bool [m], rows of slates; the others are candidates of pseudo-decisions.
        size: b.
    """

    rows: I64
    places: I64
    labels: U8
    log_rate: F32
    weights: F32
    log_positions: F32
    slates: Bools
    size: int


class RankingBatches:
    """Draws batches from one generator in a fixed order; every decision once an epoch."""

    def __init__(self, examples: Examples, settings: RankerSettings, seed: int) -> None:
        """Take the examples; pseudo-decisions without an engagement teach nothing and are left out."""
        self._examples, self._settings = examples, settings
        self._generator = np.random.default_rng(seed)
        engaged = np.bincount(examples.decisions[examples.labels > UNLABELLED], minlength=len(examples))
        self._usable = np.flatnonzero((engaged > 0) | examples.slates)

    @property
    def steps(self) -> int:
        """Steps of the whole training; 0 when there is nothing to learn from."""
        return self._settings.epochs * -(-len(self._usable) // self._settings.batch)

    def __iter__(self) -> Iterator[RankingBatch]:
        """Yield the batches of all epochs."""
        for _ in range(self._settings.epochs):
            order = self._generator.permutation(self._usable)
            for start in range(0, len(order), self._settings.batch):
                yield self._batch(order[start : start + self._settings.batch])

    def _batch(self, decisions: I64) -> RankingBatch:
        starts, labels = self._examples.starts, self._examples.labels
        rows: list[I64] = []
        rates: list[F32] = []
        for decision in decisions.tolist():
            every = np.arange(starts[decision], starts[decision + 1])
            if self._examples.slates[decision]:
                rows.append(every)
                rates.append(np.zeros(len(every), np.float32))
                continue
            certain, open_ = every[labels[every] > UNLABELLED], every[labels[every] == UNLABELLED]
            drawn = min(len(open_), self._settings.negatives)
            picked = self._generator.choice(open_, drawn, replace=False) if drawn else open_
            rate = np.log(drawn / len(open_)) if drawn else 0.0
            rows.append(np.concatenate([certain, picked]))
            rates.append(np.concatenate([np.zeros(len(certain)), np.full(drawn, rate)]).astype(np.float32))
        row = np.concatenate(rows)
        places = np.repeat(np.arange(len(decisions)), [len(part) for part in rows])
        return RankingBatch(
            row,
            places,
            labels[row],
            np.concatenate(rates),
            self._examples.weights[row],
            np.log(self._examples.positions[row]),
            self._examples.slates[decisions[places]],
            len(decisions),
        )
