"""What retrieval serves from, learned from a window: towers and the co-visitation graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from loopwright.domain.vectors import F32, I64
from loopwright.featurespec.covisitation import Graph, Pairs, build_graph
from loopwright.featurespec.history import Vocabulary
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.tower_content import tower_content
from loopwright.trainer.labels.actions import Actions
from loopwright.trainer.learning.histories import Histories, histories
from loopwright.trainer.learning.settings import TowerSettings
from loopwright.trainer.learning.towers import train_towers


class Embedder(Protocol):
    """Towers as candidates and signals need them: just trained, or opened from the model store."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The items trained on."""
        ...

    def embed_user(self, codes: I64, weights: F32) -> F32:
        """Return float32 [d]."""
        ...

    def embed_items(self, codes: I64, content: F32) -> F32:
        """Return float32 [n, d]."""
        ...


@dataclass(frozen=True, slots=True)
class Stage1:
    """Towers and graph; `losses` are the towers' mean losses by tenth of the training."""

    towers: Embedder
    graph: Graph
    losses: tuple[float, ...] = ()


def graph_of(rows: Histories) -> Graph:
    """Return the co-visitation graph of the users' distinct engaged items, as retrieval keeps it."""
    return build_graph(Pairs(rows.users, rows.item_ids, rows.liked))


def learn_stage1(
    actions: Actions,
    users: int,
    table: ItemTable,
    settings: TowerSettings,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
) -> Stage1:
    """Return stage 1 learned from these actions; the vocabulary is every engaged item, ascending."""
    rows = histories(actions, users)
    vocabulary = Vocabulary(np.unique(rows.item_ids))
    content = tower_content(table, table.rows_of(vocabulary.item_ids))
    towers, losses = train_towers(rows, vocabulary, content, settings, seed, progress)
    return Stage1(towers, graph_of(rows), tuple(losses))
