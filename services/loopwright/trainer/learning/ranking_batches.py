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
        pseudo: How many of the b are pseudo-decisions.
    """

    rows: I64
    places: I64
    labels: U8
    log_rate: F32
    weights: F32
    log_positions: F32
    slates: Bools
    size: int
    pseudo: int


class RankingBatches:
    """Draws batches from one generator in a fixed order; every decision once an epoch."""

    def __init__(self, examples: Examples, settings: RankerSettings, seed: int) -> None:
        """Take the examples; pseudo-decisions without an engagement teach nothing and are left out."""
        self._examples, self._settings = examples, settings
        self._generator = np.random.default_rng(seed)
        engaged = np.bincount(examples.decisions[examples.labels > UNLABELLED], minlength=len(examples))
        self._usable = np.flatnonzero((engaged > 0) | examples.slates)
        self._rows: dict[int, tuple[I64, I64]] = {}

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
        rows: list[I64] = []
        rates: list[F32] = []
        for decision in decisions.tolist():
            certain, open_ = self._parts(decision)
            drawn = min(len(open_), self._settings.negatives)
            picked = self._generator.choice(open_, drawn, replace=False, shuffle=False) if drawn else open_
            rate = np.zeros(len(certain) + drawn, np.float32)
            rate[len(certain) :] = np.log(drawn / len(open_)) if drawn else 0.0
            rows.append(np.concatenate([certain, picked]))
            rates.append(rate)
        row = np.concatenate(rows)
        places = np.repeat(np.arange(len(decisions)), [len(part) for part in rows])
        return RankingBatch(
            row,
            places,
            self._examples.labels[row],
            np.concatenate(rates),
            self._examples.weights[row],
            np.log(self._examples.positions[row]),
            self._examples.slates[decisions[places]],
            len(decisions),
            int((~self._examples.slates[decisions]).sum()),
        )

    def _parts(self, decision: int) -> tuple[I64, I64]:
        """Return the rows that every epoch takes, and those it draws from: the open candidates."""
        parts = self._rows.get(decision)
        if parts is None:
            every = np.arange(self._examples.starts[decision], self._examples.starts[decision + 1])
            certain = (self._examples.labels[every] > UNLABELLED) | self._examples.slates[decision]
            parts = self._rows[decision] = every[certain], every[~certain]
        return parts
