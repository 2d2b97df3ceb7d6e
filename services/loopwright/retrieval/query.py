"""One request as the sources see it: plan, items, index and graph of one moment, and evidence computed once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from loopwright.domain.vectors import F32, I64, U64, Bools
from loopwright.featurespec.covisitation import Graph, GraphScores, graph_scores
from loopwright.featurespec.history import GRAPH_WEIGHTING, Engaged, engaged_items, tower_input, weights
from loopwright.modelstore.models import TwoTower
from loopwright.pipeline.types import RetrievalQuery
from loopwright.retrieval.index.tower_index import IndexView
from loopwright.retrieval.items import ItemSnapshot


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a source proposes, best first: item_ids uint64 [n] distinct, scores float32 [n] falling."""

    item_ids: U64
    scores: F32


def nothing() -> Proposal:
    """Return the empty proposal."""
    return Proposal(np.zeros(0, np.uint64), np.zeros(0, np.float32))


@dataclass
class Evidence:
    """What several sources and the signals need of the user; each part is computed once, by whoever asks first.

    Attributes:
        query: The request.
        items: The items of this moment.
        graph: The co-visitation graph of this moment.
        tower: The two-tower model, None when the bundle pins none.
        index: Its index of this moment, None without a model.
    """

    query: RetrievalQuery
    items: ItemSnapshot
    graph: Graph
    tower: TwoTower | None = None
    index: IndexView | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def user_embedding(self) -> F32 | None:
        """Return the user's embedding float32 [d], None without a two-tower model."""
        with self._lock:
            return self._user_embedding

    def graph_scores(self) -> GraphScores:
        """Return what the history says of every item of the graph."""
        with self._lock:
            return self._graph_scores

    def barred(self) -> Bools:
        """Return bool [n] over the items: those the request avoids and those nobody may be shown."""
        with self._lock:
            return self._barred

    def barred_ids(self) -> U64:
        """Return the ids, ascending and distinct, of barred items and of everything the request avoids."""
        return np.union1d(self.items.ids[self.barred()], self.query.avoid)

    def rows(self) -> I64:
        """Return the rows of the items that may be proposed."""
        return np.flatnonzero(~self.barred())

    @cached_property
    def _engaged(self) -> Engaged:
        return engaged_items(self.query.history, self.query.anchors)

    @cached_property
    def _user_embedding(self) -> F32 | None:
        if self.tower is None:
            return None
        return self.tower.embed_user(*tower_input(self._engaged, self.tower.vocabulary))

    @cached_property
    def _graph_scores(self) -> GraphScores:
        engaged = self._engaged
        return graph_scores(self.graph, engaged.item_ids, weights(engaged, GRAPH_WEIGHTING), engaged.liked)

    @cached_property
    def _barred(self) -> Bools:
        barred: Bools = self.items.eligibility != 0
        avoided = self.items.rows_of(self.query.avoid)
        barred[avoided[avoided >= 0]] = True
        return barred
