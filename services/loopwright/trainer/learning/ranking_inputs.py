"""`RankingInputs`: the columns of all examples standardised once, so that a batch is a gather."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from loopwright.domain.vectors import F32, F64, I64
from loopwright.trainer.dataset.examples import Examples
from loopwright.trainer.learning.network import Standard

_CHUNK = 65_536


class RankingInputs:
    """Standardised inputs of N rows: user columns once a decision, item columns and signals once a row."""

    def __init__(self, examples: Examples) -> None:
        """Measure mean and spread over the pseudo-decisions, over slates when there are no others, and apply them.

        A column that only slates vary in gets no weight: it would tell slates from pseudo-decisions, not items apart.
        """
        self.decisions = examples.decisions
        measured = np.ones(len(examples)) if examples.slates.all() else (~examples.slates).astype(np.float64)
        sizes = np.diff(examples.starts) * measured
        users = examples.user_columns.astype(np.float32)
        rows = np.concatenate([examples.item_columns.astype(np.float32), examples.signals], axis=1)
        moments = [
            np.concatenate([_mean(users, sizes, power), _mean(rows, measured[self.decisions], power)])
            for power in (1, 2)
        ]
        self.standard = Standard.of(moments[0], moments[1] - moments[0] ** 2)
        self._user_width = users.shape[1]
        self._users = self.standard.part(0, self._user_width).apply(users)
        by_row = self.standard.part(self._user_width, len(self.standard.mean))
        for start in range(0, len(rows), _CHUNK):
            rows[start : start + _CHUNK] = by_row.apply(rows[start : start + _CHUNK])
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def width(self) -> int:
        """Inputs of a row."""
        return len(self.standard.mean)

    def take(self, rows: I64) -> F32:
        """Return float32 [m, F], the standardised inputs of rows."""
        out = np.empty((len(rows), self.width), np.float32)
        out[:, : self._user_width] = self._users[self.decisions[rows]]
        out[:, self._user_width :] = self._rows[rows]
        return out

    def chunks(self) -> Iterator[F32]:
        """Yield the standardised inputs of all rows, a bounded number at a time."""
        for start in range(0, len(self), _CHUNK):
            yield self.take(np.arange(start, min(start + _CHUNK, len(self))))


def _mean(values: F32, weights: F64, power: int) -> F64:
    """Return float64 [F]: weighted mean of a power of each column."""
    total = np.zeros(values.shape[1])
    for start in range(0, len(values), _CHUNK):
        part = values[start : start + _CHUNK].astype(np.float64) ** power
        total += weights[start : start + _CHUNK] @ part
    return np.asarray(total / max(1.0, float(weights.sum())))
