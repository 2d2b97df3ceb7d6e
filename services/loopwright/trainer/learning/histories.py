"""Actions in, every user's distinct engaged items oldest first out: what the towers are trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.domain.vectors import I64, U64, Bools
from loopwright.trainer.labels.actions import Actions


@dataclass(frozen=True, slots=True)
class Histories:
    """Rows by user, oldest first; an item stands at its newest engagement, as `featurespec.history` has it.

    Attributes:
        users: int64 [n].
        item_ids: uint64 [n].
        liked: bool [n], whether any engagement of the user with the item was liked.
        starts: int64 [users + 1], first row of each user.
    """

    users: I64
    item_ids: U64
    liked: Bools
    starts: I64


def histories(actions: Actions, users: int) -> Histories:
    """Return the histories of `users` users; items with a negative action of the user are out."""
    _, codes = np.unique(actions.item_ids, return_inverse=True)
    pairs = actions.users * (int(codes.max(initial=0)) + 1) + codes
    engaged = actions.engaged & ~np.isin(pairs, pairs[actions.negative])
    rows = actions.take(engaged)
    pairs = pairs[engaged]
    distinct, newest_from_end = np.unique(pairs[::-1], return_index=True)
    liked = np.zeros(len(distinct), dtype=np.bool_)
    np.logical_or.at(liked, np.searchsorted(distinct, pairs), rows.liked)
    newest = len(pairs) - 1 - newest_from_end
    order = np.lexsort((newest, rows.users[newest]))
    kept = newest[order]
    by_user = rows.users[kept]
    starts = np.searchsorted(by_user, np.arange(users + 1)).astype(np.int64)
    return Histories(by_user, rows.item_ids[kept], liked[order], starts)
