"""Candidates of a user at one moment: sources, merge and signals as retrieval has them, exact and without an index.

A service may not be imported, so the few lines of its sources stand here again; a test holds both against each other.
A planned source that does not stand here proposes nothing: pseudo-decisions lack it, logged decisions have it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import Source
from loopwright.domain.vectors import F32, F64, I64, U64, Bools
from loopwright.featurespec.covisitation import GraphScores, graph_scores, scores_of
from loopwright.featurespec.facts import Counter
from loopwright.featurespec.fusion import fused_scores
from loopwright.featurespec.history import GRAPH_WEIGHTING, engaged_items, tower_input, weights
from loopwright.featurespec.signals import candidate_signals, tower_products
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.tower_content import tower_content
from loopwright.featurespec.users import UserState, guards_of, history_of
from loopwright.trainer.dataset.stage1 import Stage1

REPLAYED = (Source.TWO_TOWER, Source.CO_VISITATION, Source.TRENDING, Source.FRESH, Source.POPULARITY)
"""Sources that stand here."""

TRENDING_HALF_LIFE_DAYS = 7.0
FRESH_SHARE = 0.05
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_BLOCK = 4096
_NEVER = np.iinfo(np.int64).max
_NOTHING: I64 = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates, best first by fused score: ids uint64 [n], table rows int64 [n], signals float32 [n, K].

    Attributes:
        by_source: Ids that each source proposed, best first.
    """

    item_ids: U64
    rows: I64
    signals: F32
    by_source: dict[Source, U64]


class CandidateFinder:
    """Everything of one moment that is the same for all users; `find` adds the user."""

    def __init__(self, table: ItemTable, stage1: Stage1, bundle: PolicyBundle, now_ms: int) -> None:
        """Embed and order the items of a table as of `now_ms`."""
        self._table, self._stage1, self._bundle, self._now_ms = table, stage1, bundle, now_ms
        self._quotas = {plan.source: plan.quota for plan in bundle.retrieval.plans()}
        rows = np.argsort(table.ids, kind="stable").astype(np.int64)
        rows = rows[table.eligibility[rows] == 0]
        self._rows, self._ids = rows, table.ids[rows]
        self._creators = table.creator_ids[rows]
        self._vectors = self._embedded()
        hour_ms = now_ms - now_ms % _HOUR_MS
        wanted = [(Counter.ENGAGEMENTS, TRENDING_HALF_LIFE_DAYS), (Counter.LIKES, TRENDING_HALF_LIFE_DAYS)]
        counts = table.decays.view(rows, hour_ms, wanted)
        trending: F64 = counts.decayed.sum(axis=1).astype(np.float32)
        popular = (counts.totals[:, Counter.ENGAGEMENTS] + counts.totals[:, Counter.LIKES]).astype(np.float32)
        order = np.argsort(-trending, kind="stable")
        self._orders: dict[Source, I64] = {
            Source.TRENDING: order[trending[order] > 0],
            Source.POPULARITY: np.argsort(-popular, kind="stable"),
            Source.FRESH: self._fresh(counts.first_ms),
        }

    def __len__(self) -> int:
        return len(self._ids)

    def _embedded(self) -> F32:
        towers = self._stage1.towers
        content = tower_content(self._table, self._rows)
        codes = towers.vocabulary.codes(self._ids)
        parts = [
            towers.embed_items(codes[start : start + _BLOCK], content[start : start + _BLOCK])
            for start in range(0, len(codes), _BLOCK)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)

    def _fresh(self, first_ms: I64) -> I64:
        published, stated = self._table.published_ms[self._rows], self._table.first_upsert_ms[self._rows]
        seen = np.minimum(np.where(stated < 0, _NEVER, stated), np.where(first_ms < 0, _NEVER, first_ms))
        born = np.where(published != -1, published, seen)
        newest = np.flatnonzero((born <= self._now_ms) & (born != _NEVER))
        newest = newest[np.argsort(-born[newest], kind="stable")]
        age_days = (self._now_ms - born[newest]) / _DAY_MS
        young = int(np.count_nonzero(age_days <= self._bundle.retrieval.fresh_days))
        return newest[: max(young, math.ceil(FRESH_SHARE * len(newest)))]

    def find(self, state: UserState) -> Found:
        """Return the candidates of a user with these states."""
        engaged = engaged_items(history_of(state, self._now_ms))
        vocabulary = self._stage1.towers.vocabulary
        user = self._stage1.towers.embed_user(*tower_input(engaged, vocabulary))
        graph = self._stage1.graph
        supported = graph_scores(graph, engaged.item_ids, weights(engaged, GRAPH_WEIGHTING), engaged.liked)
        allowed = ~self._barred(state)
        proposed = {
            Source.TWO_TOWER: self._best(self._vectors @ user, allowed),
            Source.CO_VISITATION: self._supported(scores_of(supported, self._ids), allowed),
            **{source: order[allowed[order]] for source, order in self._orders.items()},
        }
        return self._merged(proposed, user, supported)

    def _barred(self, state: UserState) -> Bools:
        guards = guards_of(state, self._now_ms, self._bundle.constraints.seen_days)
        barred = np.isin(self._ids, np.concatenate([guards.acted, guards.viewed, guards.blocked_items]))
        if len(guards.blocked_creators):
            barred |= np.isin(self._creators, guards.blocked_creators) & (self._creators != 0)
        return np.asarray(barred, dtype=np.bool_)

    def _best(self, scores: F32, allowed: Bools) -> I64:
        return _highest(scores, np.flatnonzero(allowed), self._quotas.get(Source.TWO_TOWER, 0))

    def _supported(self, scores: GraphScores, allowed: Bools) -> I64:
        places = np.flatnonzero(allowed & (scores.total > 0))
        return _highest(scores.total, places, self._quotas.get(Source.CO_VISITATION, 0))

    def _merged(self, proposed: dict[Source, I64], user: F32, supported: GraphScores) -> Found:
        plans = self._bundle.retrieval.plans()
        source_weights = [plan.weight for plan in plans]
        ranks = np.zeros((len(self._ids), len(plans)), dtype=np.uint16)
        by_source: dict[Source, U64] = {}
        for column, plan in enumerate(plans):
            places = proposed.get(plan.source, _NOTHING)[: plan.quota]
            ranks[places, column] = np.arange(1, len(places) + 1)
            by_source[plan.source] = self._ids[places]
        proposed_by_any = np.flatnonzero(ranks.any(axis=1))
        fused = np.zeros(len(self._ids), dtype=np.float32)
        fused[proposed_by_any] = fused_scores(ranks[proposed_by_any], source_weights)
        places = _highest(fused, proposed_by_any, self._bundle.retrieval.max_candidates)
        ids = self._ids[places]
        scores = scores_of(supported, ids)
        towers = tower_products(user, self._vectors[places])
        signals = candidate_signals(towers, scores, fused[places], source_weights)
        return Found(ids, self._rows[places], signals, by_source)


def _highest(scores: F32, places: I64, count: int) -> I64:
    """Return the places with the highest scores, best first, ties by place; places ascend by item id."""
    found = scores[places]
    if 0 < count < len(places):
        keep = found >= np.partition(found, len(found) - count)[len(found) - count]
        places, found = places[keep], found[keep]
    return places[np.argsort(-found, kind="stable")][:count]
