"""`Draft`: a slate while it is filled place by place; counts caps, remembers who was held back and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import MutationKind
from loopwright.pipeline.types import U8, Mutation
from loopwright.policy.slate.constraints import CAPS, Cap
from loopwright.policy.slate.pool import Pool

_CAP_OF = {int(cap.reason): cap for cap in CAPS}


class Draft:
    """Mutable, one per decision.

    Attributes:
        closed: bool [n], in the slate or held back by a cap; caps only ever fill up, so only `reopen` opens it again.
        chosen: pool indices by the order of choosing.
        mutations: what changed against the order by utility, in order.
        held: pool index -> drop reason, of those whose turn by utility came while a cap held them back.
    """

    def __init__(self, bundle: PolicyBundle, pool: Pool, caps: Sequence[Cap] = CAPS) -> None:
        """Takes the limits from the bundle."""
        self._pool = pool
        self._caps = [(cap, cap.keys(pool), cap.limit(bundle), Counter[int]()) for cap in caps if cap.limit(bundle)]
        self._blocked: U8 = np.zeros(len(pool), dtype=np.uint8)
        self._taken: NDArray[np.bool_] = np.zeros(len(pool), dtype=np.bool_)
        self._turn = 0
        self.closed: NDArray[np.bool_] = np.zeros(len(pool), dtype=np.bool_)
        self.chosen: list[int] = []
        self.mutations: list[Mutation] = []
        self.held: dict[int, int] = {}

    def leader(self) -> int | None:
        """Return who is next by utility among those not closed; notes everyone a cap holds back before them."""
        by_rank = self._pool.by_rank
        while self._turn < len(by_rank):
            index = int(by_rank[self._turn])
            if not self.closed[index]:
                return index
            if not self._taken[index]:
                reason = int(self._blocked[index])
                self.held[index] = reason
                self.note(_CAP_OF[reason].mutation, index, 0)
            self._turn += 1
        return None

    def lifted(self) -> int:
        """Return who is next by utility among all that are not in the slate, caps or not."""
        return next(int(index) for index in self._pool.by_rank if not self._taken[index])

    def take(self, index: int) -> None:
        """Puts a pool entry into the slate and closes whatever a cap now holds back."""
        self.chosen.append(index)
        self._taken[index] = self.closed[index] = True
        self.held.pop(index, None)
        for cap, keys, limit, counts in self._caps:
            key = int(keys[index])
            if not key:
                continue
            counts[key] += 1
            if counts[key] == limit:
                full = keys == keys[index]
                self._blocked[full & ~self.closed] = cap.reason
                self.closed |= full

    def reopen(self) -> None:
        """Begins to count caps anew: whoever is not in the slate is open again."""
        self._turn = 0
        self._blocked[:] = 0
        self.closed = self._taken.copy()
        self.held.clear()
        for _, _, _, counts in self._caps:
            counts.clear()

    def note(self, kind: MutationKind, index: int, position: int) -> None:
        """Appends a mutation; position 0: not in the slate."""
        item, rank = int(self._pool.item_ids[index]), int(self._pool.ranks[index])
        self.mutations.append(Mutation(kind, item, rank, position))
