"""Lists of whole model sets, offline: candidates by towers, the cut by the pre-ranker, order by the ranker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.vectors import F32, F64, U32, U64
from loopwright.featurespec.covisitation import Graph
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import UserState
from loopwright.modelstore import ModelStore
from loopwright.modelstore.models import (
    MultiTaskRanker,
    PreRanker,
    TwoTower,
    open_pre_ranker,
    open_ranker,
    open_two_tower,
)
from loopwright.pipeline.cut import best_rows
from loopwright.trainer.dataset.moment import Inputs, Moment
from loopwright.trainer.dataset.stage1 import Stage1

_NOTHING: U64 = np.zeros(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models that a bundle pins, opened as serving opens them."""

    bundle: PolicyBundle
    two_tower: TwoTower
    pre_ranker: PreRanker
    ranker: MultiTaskRanker

    def heads(self, inputs: Inputs) -> F32:
        """Return float32 [n, H] at the bundle's position."""
        position = float(self.bundle.ranking.position)
        return self.ranker.score(inputs.user_columns, inputs.item_columns, inputs.signals, position)

    def cut(self, inputs: Inputs) -> U32:
        """Return uint32 [min(N, n)]: the rows that get head scores at serving, best first by the pre-ranker."""
        scores = self.pre_ranker.score(inputs.user_columns, inputs.item_columns, inputs.signals)
        return best_rows(scores, inputs.item_ids, self.bundle.ranking.best_n)

    def utility(self, inputs: Inputs) -> F64:
        """Return float64 [n]: the bundle's weighted sum of heads."""
        heads = self.heads(inputs).astype(np.float64)
        weights = [self.bundle.objective.weights.get(head, 0.0) for head in self.ranker.heads]
        return np.asarray(heads @ np.array(weights), dtype=np.float64)


def open_models(store: ModelStore, bundle: PolicyBundle) -> ModelSet:
    """Return the models a bundle pins; all three must be.

    Raises:
        ModelRejected: One does not pass the checks that serving makes.
    """
    groups = (*bundle.features.user, *bundle.features.item)
    return ModelSet(
        bundle,
        open_two_tower(store, bundle.models.two_tower),
        open_pre_ranker(store, bundle.models.pre_ranker, groups),
        open_ranker(store, bundle.models.ranker, groups),
    )


class Lists:
    """Ranks items for users at one moment with one set of models."""

    def __init__(self, models: ModelSet, counted: ItemTable, graph: Graph, now_ms: int) -> None:
        """Take the models, the table with its counts, and the graph that both sides of a comparison share."""
        self._models = models
        self._moment = Moment(counted, Stage1(models.two_tower, graph), models.bundle, now_ms)

    def inputs(self, state: UserState) -> Inputs:
        """Return what the rankers read of a user."""
        return self._moment.inputs(state)

    def best(self, state: UserState, count: int, barred: U64 = _NOTHING) -> U64:
        """Return the ids of the best unseen items that the pre-ranker leaves, best first; ties by item id.

        Items that no source proposes, and those that the pre-ranker cuts, are in no list, as at serving.

        Args:
            state: The user's.
            count: Items at most.
            barred: uint64, items that are no candidates.
        """
        inputs = self.inputs(state)
        if len(barred):
            inputs = inputs.take(~np.isin(inputs.item_ids, barred))
        if not len(inputs.item_ids):
            return inputs.item_ids
        left = inputs.take(self._models.cut(inputs))
        order = np.lexsort((left.item_ids, -self._models.utility(left)))
        return left.item_ids[order[:count]]
