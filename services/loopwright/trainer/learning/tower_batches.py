"""Histories in, batches of (history, targets, masked items) out: the two views of a user that the towers learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import F32, I64, Bools
from loopwright.featurespec.history import MAX_HISTORY, TOWER_WEIGHTING
from loopwright.trainer.learning.histories import Histories
from loopwright.trainer.learning.settings import TowerSettings

_NEVER = -1e9
_TARGET_SCALE = 5.0  # divides the loss of a user; with sqrt of the target mass, chosen on validation


@dataclass(frozen=True, slots=True)
class TowerBatch:
    """b users against c items.

    Attributes:
        items: int64 [c], vocabulary positions of the columns.
        history: float32 [b, c], weights of the items in each history.
        target: float32 [b, c], weights of the items to be proposed.
        offset: float32 [b, c], added to the logits: minus the log of an item's probability of standing in the batch,
            and a large negative number for items the user has already, which are never negatives.
        with_id: float32 [c, 1], 0 where the item trains on content alone.
    """

    items: I64
    history: F32
    target: F32
    offset: F32
    with_id: F32


class TowerBatches:
    """Draws batches; every draw comes from one generator, in a fixed order."""

    def __init__(self, histories: Histories, codes: I64, size: int, settings: TowerSettings, seed: int) -> None:
        """Take the histories with their items as positions in a vocabulary of `size` items."""
        self._rows, self._codes, self._size, self._settings = histories, codes, size, settings
        self._generator = np.random.default_rng(seed)
        self._length = np.diff(histories.starts)
        self._usable = np.flatnonzero(self._length >= 2)
        self._queue = np.empty(0, np.int64)
        self._log_probability = self._log_probabilities()

    @property
    def steps(self) -> int:
        """Steps of the whole training; 0 when nobody has two items."""
        if not len(self._usable) or self._size < 2:
            return 0
        wanted = self._settings.epochs * -(-len(self._usable) // self._settings.batch)
        return min(max(wanted, self._settings.min_steps), self._settings.max_steps)

    @property
    def log_probability(self) -> F32:
        """Log of the probability that an item stands in a batch's softmax, float32 [V] (Yi et al. 2019).

        Exact for uniform draws beside the batch's own items; zeros when every item is a negative.
        """
        return self._log_probability

    def _log_probabilities(self) -> F32:
        users = len(self._usable)
        share = np.bincount(self._codes, minlength=self._size) / max(1, users)
        in_batch = 1 - (1 - np.minimum(share, 1.0)) ** min(self._settings.batch, users)
        drawn = min(1.0, self._settings.full_softmax / max(1, self._size))
        return np.log(np.maximum(1 - (1 - in_batch) * (1 - drawn), 1e-6)).astype(np.float32)

    def draw(self) -> TowerBatch:
        """Return the next batch."""
        settings, generator = self._settings, self._generator
        if len(self._queue) < min(settings.batch, len(self._usable)):
            self._queue = np.concatenate([self._queue, generator.permutation(self._usable)])
        users, self._queue = self._queue[: settings.batch], self._queue[settings.batch :]
        starts, count = self._rows.starts[users], self._length[users]
        row = np.concatenate([np.arange(start, start + n) for start, n in zip(starts, count, strict=True)])
        who = np.repeat(np.arange(len(users)), count)
        place = row - starts[who]
        liked = self._rows.liked[row]
        if generator.random() < settings.causal:
            weight, target, hidden = self._after_cut(place, count, who, liked)
        else:
            weight, target, hidden = self._held_out(place, count, who, liked)
        weight = weight * (generator.random(len(users)) >= settings.drop_history)[who]
        target = target * np.where(liked, 1.0, settings.unliked_target)
        return self._columns(self._codes[row], who, len(users), weight, target, hidden)

    def _after_cut(self, place: I64, count: I64, who: I64, liked: Bools) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        settings, generator = self._settings, self._generator
        share = generator.uniform(settings.cut_low, settings.cut_high, len(count))
        cut = np.clip((count * share).astype(np.int64), 1, count - 1)[who]
        past, back = place < cut, cut - 1 - place
        kept = past & (back < MAX_HISTORY) & (generator.random(len(place)) < settings.keep_causal)
        weight = _weights(liked, np.maximum(back, 0)) * kept
        target = ~past * (1.0 + np.maximum(place - cut, 0)) ** -settings.target_power
        return weight, target, past

    def _held_out(self, place: I64, count: I64, who: I64, liked: Bools) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        kept = self._generator.random(len(place)) < self._settings.keep_random
        back = count[who] - 1 - place
        return _weights(liked, back) * (kept & (back < MAX_HISTORY)), (~kept).astype(np.float64), kept

    def _columns(
        self, codes: I64, who: I64, users: int, weight: np.ndarray, target: np.ndarray, hidden: np.ndarray
    ) -> TowerBatch:
        if self._size <= self._settings.full_softmax:
            items = np.arange(self._size)
        else:
            items = np.union1d(codes, self._generator.choice(self._size, self._settings.full_softmax, replace=False))
        column = np.searchsorted(items, codes)
        mass = np.bincount(who, target, users)
        target = target / (_TARGET_SCALE * np.sqrt(np.maximum(mass, 1.0)))[who]
        x = np.zeros((users, len(items)), np.float32)
        y = np.zeros_like(x)
        offset = np.tile(-self._log_probability[items], (users, 1))
        x[who, column], y[who, column] = weight, target
        offset[who[hidden], column[hidden]] = _NEVER
        with_id = (self._generator.random((len(items), 1)) >= self._settings.drop_id).astype(np.float32)
        return TowerBatch(items, x, y, offset, with_id)


def _weights(liked: Bools, back: I64) -> np.ndarray:
    strength = np.where(liked, 1.0, TOWER_WEIGHTING.unliked)
    return np.asarray(strength * np.power(1.0 + back, -TOWER_WEIGHTING.power))
