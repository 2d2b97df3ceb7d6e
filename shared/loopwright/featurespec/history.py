"""A user's history in, weighted items out: what the user tower and the co-visitation graph read.

Retrieval calls it at serving time and the trainer for every example, so that both see the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from loopwright.domain.enums import ENGAGEMENTS, NEGATIVE_ACTIONS
from loopwright.domain.vectors import F32, I64, KIND_MASK, LIKED_FLAG, U8, U64, Bools, History
from loopwright.featurespec.facts import SATISFYING

MAX_HISTORY = 512
"""Newest actions that a history holds at most."""


def _table(kinds: Iterable[int], flagged: bool = False) -> Bools:
    """Return bool [256]: by kind byte, whether it is one of `kinds`, or with `flagged` has the liked flag."""
    chosen = set(kinds)
    return np.array([(k & KIND_MASK) in chosen or (flagged and bool(k & LIKED_FLAG)) for k in range(256)])


_IS_LIKED = _table(SATISFYING, flagged=True)
_IS_ENGAGED = _table(ENGAGEMENTS)
_IS_NEGATIVE = _table(NEGATIVE_ACTIONS)


@dataclass(frozen=True, slots=True)
class Weighting:
    """How much an item of the history counts: `strength * (1 + back) ** -power`.

    Attributes:
        unliked: strength of an item that was engaged with and not liked; a liked one has 1.
        power: exponent of the decay by recency rank; 0 forgets nothing.
    """

    unliked: float
    power: float


TOWER_WEIGHTING = Weighting(unliked=0.3, power=0.5)
"""Weights the user tower is trained and served with; chosen on validation NDCG@10 of the `user80` split."""

GRAPH_WEIGHTING = Weighting(unliked=0.3, power=0.5)
"""Weights of the history in co-visitation scores; chosen as above."""


@dataclass(frozen=True, slots=True)
class Engaged:
    """Distinct engaged items, newest first: ids uint64 [m], liked bool [m], back int64 [m] = 0, 1, 2, ..."""

    item_ids: U64
    liked: Bools
    back: I64


class Vocabulary:
    """The items a two-tower model was trained on: id -> code, where code = position + 1 and 0 = unknown."""

    def __init__(self, item_ids: U64) -> None:
        self.item_ids: U64 = np.ascontiguousarray(item_ids, dtype=np.uint64)
        self._order = np.argsort(self.item_ids, kind="stable")
        self._sorted = self.item_ids[self._order]

    def __len__(self) -> int:
        return len(self.item_ids)

    def codes(self, item_ids: U64) -> I64:
        """Return int64 [n]: the code of each id, 0 where the vocabulary lacks it."""
        if not len(self):
            return np.zeros(len(item_ids), dtype=np.int64)
        place = np.minimum(np.searchsorted(self._sorted, item_ids), len(self) - 1)
        found = self._sorted[place] == item_ids
        return np.where(found, self._order[place] + 1, 0).astype(np.int64)


def liked(kinds: U8) -> Bools:
    """Return bool [L]: whether each action says that the user was satisfied."""
    return _IS_LIKED[kinds]


def engaged(kinds: U8) -> Bools:
    """Return bool [L]: whether each action is an engagement."""
    return _IS_ENGAGED[kinds]


def engaged_items(history: History, anchors: U64 | None = None) -> Engaged:
    """Return the distinct items a history engaged with, newest first.

    An item stands at the place of its newest engagement, is liked if any of its actions was, and is left out when
    any action on it was negative.

    Args:
        history: The user's newest actions, newest first.
        anchors: Items the request is about; they stand first and count as liked.
    """
    ids, kinds = history.item_ids, history.kinds
    keep = engaged(kinds)
    negative = _IS_NEGATIVE[kinds]
    if negative.any():
        keep &= ~np.isin(ids, ids[negative])
    ids, likes = ids[keep], liked(kinds[keep])
    if anchors is not None and len(anchors):
        ids = np.concatenate([anchors.astype(np.uint64), ids])
        likes = np.concatenate([np.ones(len(anchors), dtype=np.bool_), likes])
    distinct, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    any_liked = np.bincount(inverse, weights=likes, minlength=len(distinct)) > 0
    order = np.argsort(first, kind="stable")
    return Engaged(distinct[order], any_liked[order], np.arange(len(order), dtype=np.int64))


def weights(items: Engaged, weighting: Weighting) -> F32:
    """Return float32 [m]: the weight of each engaged item."""
    strength = np.where(items.liked, 1.0, weighting.unliked)
    return np.asarray(strength * np.power(1.0 + items.back, -weighting.power), dtype=np.float32)


def tower_input(
    items: Engaged, vocabulary: Vocabulary, weighting: Weighting = TOWER_WEIGHTING, length: int | None = None
) -> tuple[I64, F32]:
    """Return what the user tower reads: codes int64 [1, L] and weights float32 [1, L], newest first.

    Items outside the vocabulary are left out; the recency ranks of the others still count them. An empty history is
    one padding entry of code 0 and weight 0.

    Args:
        items: The engaged items.
        vocabulary: The model's vocabulary.
        weighting: The weighting the model was trained with.
        length: Pad or cut to this many entries; None keeps what there is.
    """
    codes, weight = vocabulary.codes(items.item_ids), weights(items, weighting)
    known = codes > 0
    codes, weight = codes[known][:MAX_HISTORY], weight[known][:MAX_HISTORY]
    wanted = max(1, len(codes)) if length is None else length
    out = np.zeros((1, wanted), dtype=np.int64), np.zeros((1, wanted), dtype=np.float32)
    taken = min(wanted, len(codes))
    out[0][0, :taken], out[1][0, :taken] = codes[:taken], weight[:taken]
    return out
