"""`Moment`: the world at one time, from which any user's candidates come with the columns that serving would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.vectors import F16, F32, I64, U32, U64, Bools
from loopwright.featurespec.columns import (
    ColumnBlock,
    candidate_columns,
    cross_context,
    item_columns,
    profile_of,
    user_columns,
)
from loopwright.featurespec.groups import Entity, group
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import UserState
from loopwright.trainer.dataset.candidates import CandidateFinder
from loopwright.trainer.dataset.stage1 import Stage1


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the rankers read of one decision: user float16 [U], items float16 [n, C], signals float32 [n, K]."""

    item_ids: U64
    user_columns: F16
    item_columns: F16
    signals: F32

    def take(self, rows: U32 | Bools) -> Inputs:
        """Return the candidates at these rows, in their order."""
        return Inputs(self.item_ids[rows], self.user_columns, self.item_columns[rows], self.signals[rows])


class Moment:
    """Items as of one time under one bundle; item columns are derived once for all users."""

    def __init__(self, table: ItemTable, stage1: Stage1, bundle: PolicyBundle, now_ms: int) -> None:
        """Derive the item columns and order the sources."""
        self._table, self._features, self._now_ms = table, bundle.features, now_ms
        self._finder = CandidateFinder(table, stage1, bundle, now_ms)
        groups = tuple(name for name in bundle.features.item if group(name).entity is Entity.ITEM)
        every = np.arange(len(table), dtype=np.int64)
        self._blocks = {name: item_columns(table, every, now_ms, (name,)) for name in groups}

    def inputs(self, state: UserState) -> Inputs:
        """Return the candidates of a user with everything the rankers read."""
        found = self._finder.find(state)
        profile = profile_of(state, self._table, self._now_ms)
        user = user_columns(state, self._table, self._now_ms, self._features.user, profile)
        context = cross_context(state, self._table, self._now_ms, profile)
        items = candidate_columns(
            context, self._table, found.rows, self._now_ms, self._features.item, item_block=self._kept
        )
        return Inputs(found.item_ids, user.columns, items.columns, found.signals)

    def _kept(self, rows: I64, now_ms: int, groups: Sequence[str]) -> ColumnBlock:
        blocks = [self._blocks[name] for name in groups]
        return ColumnBlock(
            np.concatenate([block.columns[rows] for block in blocks], axis=1),
            np.concatenate([block.ages_s[rows] for block in blocks], axis=1),
            np.concatenate([block.mask[rows] for block in blocks], axis=1),
        )
