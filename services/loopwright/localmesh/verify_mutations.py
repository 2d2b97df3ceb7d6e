"""Whether the mutations of a slate tell how it came out of the ranks, with nothing but the slate on record."""

from __future__ import annotations

from collections import Counter, deque

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import MutationKind
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.types import Mutation
from loopwright.policy.slate.constraints import CAPS
from loopwright.policy.slate.pool import Pool

_CAP_OF = {cap.mutation: cap for cap in CAPS}


class Retelling:
    """Fills the places of a slate once more, as policy's draft does; one use each.

    Who was held back is known by rank and id alone: that a cap held them is believed when the cap was full by then.
    """

    def __init__(self, record: DecisionRecord, bundle: PolicyBundle, pool: Pool) -> None:
        """Take a slate without a draw of the slice; `pool` holds its own rows only."""
        self._left = deque(record.mutations)
        self._ids = [place.item_id for place in record.slate]
        self._ranks = [place.pre_swap_rank for place in record.slate]
        self._numbers = record.propensity
        self._caps = [(cap.mutation, _by_place(pool, cap.keys(pool)), cap.limit(bundle)) for cap in CAPS]
        self._counts = {cap.mutation: Counter[int]() for cap in CAPS}
        self._rank_of = dict(zip(self._ids, self._ranks, strict=True))
        self._item_at = dict(zip(self._ranks, self._ids, strict=True))
        self._taken: set[int] = set()
        self._held: dict[int, int] = {}
        self._turn = 1

    def holds(self, slot: int) -> bool:
        """Say whether the mutations are the ones this slate leaves behind.

        Args:
            slot: The position of the explore slot under the bundle, 0 when there is none.
        """
        told = all(self._filled(place) for place in range(1, len(self._ids) + 1) if place != slot)
        if told and slot:
            told = self._explored(slot) if self._numbers.s else self._lifted(slot)
        return told and not self._left

    def _filled(self, place: int) -> bool:
        self._pass_over_held()
        if self._turn > self._numbers.n:
            return self._lifted(place)
        rank = self._ranks[place - 1]
        if not self._open(place) or not self._free(rank):
            return False
        if rank != self._turn and not self._noted(MutationKind.DIVERSITY, place):
            return False
        self._take(place)
        return True

    def _explored(self, place: int) -> bool:
        left = self._numbers.n - len(self._taken) - len(self._held)
        return (
            self._numbers.m <= left
            and self._open(place)
            and self._free(self._ranks[place - 1])
            and self._noted(MutationKind.EXPLORE, place)
        )

    def _lifted(self, place: int) -> bool:
        best = next(rank for rank in range(1, len(self._taken) + 2) if rank not in self._taken)
        if self._ranks[place - 1] != best or self._open(place) or not self._noted(MutationKind.CAP_LIFTED, place):
            return False
        self._take(place)
        return True

    def _pass_over_held(self) -> None:
        """Go on to the best rank that is neither in the slate nor noted as held back."""
        while self._turn <= self._numbers.n:
            if self._turn not in self._taken:
                if not self._left or not self._holds_back(self._left[0]):
                    return
                self._held[self._turn] = self._left.popleft().item_id
            self._turn += 1

    def _holds_back(self, note: Mutation) -> bool:
        if note.kind not in _CAP_OF or note.from_rank != self._turn or note.to_position:
            return False
        limit = next(limit for kind, _, limit in self._caps if kind is note.kind)
        return (
            0 < limit <= max(self._counts[note.kind].values(), default=0)
            and note.item_id not in self._held.values()
            and self._rank_of.get(note.item_id, note.from_rank) == note.from_rank
            and self._item_at.get(note.from_rank, note.item_id) == note.item_id
        )

    def _open(self, place: int) -> bool:
        """Say whether no cap holds back the item of this place."""
        return all(
            not limit or not keys[place - 1] or self._counts[kind][keys[place - 1]] < limit
            for kind, keys, limit in self._caps
        )

    def _free(self, rank: int) -> bool:
        return rank not in self._taken and rank not in self._held

    def _noted(self, kind: MutationKind, place: int) -> bool:
        want = Mutation(kind, self._ids[place - 1], self._ranks[place - 1], place)
        return bool(self._left) and self._left.popleft() == want

    def _take(self, place: int) -> None:
        self._taken.add(self._ranks[place - 1])
        self._held.pop(self._ranks[place - 1], None)
        for kind, keys, _ in self._caps:
            if keys[place - 1]:
                self._counts[kind][keys[place - 1]] += 1


def _by_place(pool: Pool, keys: np.ndarray) -> list[int]:
    places = np.zeros(len(pool), dtype=np.uint64)
    places[pool.rows] = keys
    return [int(key) for key in places]
