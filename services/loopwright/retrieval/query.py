"""One request as the sources see it: plan, items, index and graph of one moment, and evidence computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from loopwright.domain.vectors import F32, I64, U64, Bools
from loopwright.featurespec.covisitation import Graph, GraphScores, graph_scores
from loopwright.featurespec.history import GRAPH_WEIGHTING, Engaged, engaged_items, tower_input, weights
from loopwright.featurespec.signals import TowerProducts
from loopwright.modelstore.models import TwoTower
from loopwright.pipeline.types import RetrievalQuery
from loopwright.retrieval.index.tower_index import IndexView
from loopwright.retrieval.items import LEADING, ItemSnapshot
from loopwright.retrieval.selection import best

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a source proposes, best first.

    Attributes:
        item_ids: uint64 [n], distinct.
        scores: float32 [n], falling.
        products: of its items, when the source measured them on the way.
    """

    item_ids: U64
    scores: F32
    products: TowerProducts | None = None


def nothing() -> Proposal:
    """Return the empty proposal."""
    return Proposal(np.zeros(0, np.uint64), np.zeros(0, np.float32))


@dataclass
class Evidence:
    """What sources and signals need of the user and the items; each part is computed once, by whoever asks first.

    Two threads may ask for the same part at once only when a source was late; both then compute the same.

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

    def __post_init__(self) -> None:
        """Begin without any part."""
        self._parts: dict[str, Any] = {}

    @property
    def barred(self) -> Bools:
        """Those the request avoids and those nobody may be shown, bool [n] over the items."""
        return self._part("barred", self._bar)

    def _bar(self) -> Bools:
        barred = self.items.ineligible
        avoided = self.items.rows_of(self.query.avoid)
        barred[avoided[avoided >= 0]] = True
        return barred

    def highest(self, column: str, count: int) -> I64:
        """Return int64 [min(count, n)]: rows of the highest values among items not barred, best first, ties by id.

        Args:
            column: `popularity` or `trending` of the items.
            count: How many are wanted.
        """
        leading, barred = self.items.leading(column), self.barred
        rows = leading[~barred[leading]][:count]
        if len(rows) < count and len(leading) == LEADING:  # others may follow
            rows = np.flatnonzero(~barred)
            rows = rows[best(self.items.ids[rows], getattr(self.items, column)[rows], count)]
        return rows

    @property
    def barred_ids(self) -> U64:
        """The ids, ascending and distinct, of barred items and of everything the request avoids."""
        return self._part("barred_ids", lambda: np.union1d(self.items.ineligible_ids(), self.query.avoid))

    @property
    def engaged(self) -> Engaged:
        """The items the user engaged with, anchors first."""
        return self._part("engaged", lambda: engaged_items(self.query.history, self.query.anchors))

    @property
    def user_embedding(self) -> F32 | None:
        """The user's embedding float32 [d], None without a two-tower model."""
        tower = self.tower
        if tower is None:
            return None
        return self._part("user", lambda: tower.embed_user(*tower_input(self.engaged, tower.vocabulary)))

    @property
    def graph_scores(self) -> GraphScores:
        """What the history says of every item of the graph."""
        return self._part("graph", self._score_graph)

    def _score_graph(self) -> GraphScores:
        engaged = self.engaged
        return graph_scores(self.graph, engaged.item_ids, weights(engaged, GRAPH_WEIGHTING), engaged.liked)

    def _part(self, name: str, compute: Callable[[], T]) -> T:
        # not functools.cached_property: until Python 3.12 it locks all requests against each other
        if name not in self._parts:
            self._parts[name] = compute()
        part: T = self._parts[name]
        return part
