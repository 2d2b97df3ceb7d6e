from dataclasses import dataclass

import numpy as np
import pytest
from tests.trainer_world import MINUTE_MS, RECIPE, START_MS, bundle, catalogue, collected, organic, rows, upsert

from loopwright.bundle import PolicyBundle, with_values
from loopwright.domain.enums import ActionKind, Source
from loopwright.featurespec.fusion import RANK_CONSTANT
from loopwright.featurespec.signals import SIGNALS
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.tower_content import rows_with_facts, tower_content
from loopwright.featurespec.users import UserState, guards_of, history_of
from loopwright.modelstore import ModelStore
from loopwright.modelstore.models import open_two_tower
from loopwright.pipeline.types import RetrievalQuery, SourcePlan, SourceReport
from loopwright.retrieval.index.tower_index import TowerIndex
from loopwright.retrieval.items import take_snapshot
from loopwright.retrieval.query import Evidence
from loopwright.retrieval.retriever import assemble
from loopwright.retrieval.sources import SOURCES
from loopwright.trainer.dataset.candidates import REPLAYED, CandidateFinder
from loopwright.trainer.dataset.pseudo import Past, past_of
from loopwright.trainer.dataset.stage1 import Stage1, learn_stage1
from loopwright.trainer.export.models import Weights, export
from loopwright.trainer.fitting import widths_of
from loopwright.trainer.labels.states import catalogue_table
from loopwright.trainer.learning.pre_ranker import untrained_pre_ranker
from loopwright.trainer.learning.ranker import untrained

NOW_MS = START_MS + 5_000 * MINUTE_MS
DAY_MS = 86_400_000


def world() -> tuple[Past, ItemTable, Stage1]:
    items = [*catalogue(40), upsert(77, published_ms=NOW_MS - DAY_MS), upsert(78, published_ms=NOW_MS + DAY_MS)]
    hidden = organic(1, 30, START_MS + 4_000 * MINUTE_MS, False, ActionKind.HIDE, rank=90)
    evidence = collected(items, [*rows(25, 40, 9), hidden])
    past = past_of(evidence, np.ones(len(evidence.actions), np.bool_), evidence.views)
    table = catalogue_table(evidence.catalogue, evidence.actions.item_ids)
    stage1 = learn_stage1(evidence.actions, evidence.users, table, RECIPE.towers, 1)
    return past, past.fold_into(table), stage1


def served(  # type: ignore[no-untyped-def]
    stage1: Stage1, table: ItemTable, state: UserState, of: PolicyBundle, store: ModelStore
):
    """Return what the retrieval service makes of the same items, models and user."""
    width = sum(widths_of(of))
    ranker = untrained(width)
    pre = untrained_pre_ranker(ranker, np.ones(2, np.float32))
    exported = export(store, Weights(stage1.towers, ranker, pre, widths_of(of)), of, 1, {})  # type: ignore[arg-type]
    index = TowerIndex(open_two_tower(store, exported.versions["two_tower"]))
    held = rows_with_facts(table)
    index.put(table.ids[held], tower_content(table, held))
    guards = guards_of(state, NOW_MS, of.constraints.seen_days)
    avoid = np.unique(np.concatenate([guards.acted, guards.viewed, guards.blocked_items]))
    plans = of.retrieval.plans()
    query = RetrievalQuery(
        "p", "v", NOW_MS, history_of(state, NOW_MS), avoid, np.zeros(0, np.uint64), plans,
        of.retrieval.max_candidates, of.retrieval.fresh_days,
    )  # fmt: skip
    evidence = Evidence(query, take_snapshot(table, NOW_MS - NOW_MS % 3_600_000), stage1.graph, index.tower, index.view)
    by_name = {source.source: source for source in SOURCES}
    proposals = [by_name[plan.source].propose(evidence, plan.quota) for plan in plans]
    reports = tuple(SourceReport(plan.source, 0, 0, False, "") for plan in plans)
    return assemble(evidence, proposals, reports), dict(zip([plan.source for plan in plans], proposals, strict=True))


def test_candidates_and_signals_are_those_of_the_retrieval_service(tmp_path) -> None:  # type: ignore[no-untyped-def]
    past, table, stage1 = world()
    small = {f"retrieval.sources.{name}.quota": 7 for name in bundle().retrieval.sources}
    of = with_values(bundle(), {**small, "retrieval.max_candidates": 18, "ranking.best_n": 18})
    finder = CandidateFinder(table, stage1, of, NOW_MS)
    for user in (0, 1, 7):
        state = past.state(user)
        found = finder.find(state)
        wanted, proposals = served(stage1, table, state, of, ModelStore(tmp_path))
        for source, proposal in proposals.items():
            assert found.by_source[source].tolist() == proposal.item_ids.tolist(), source
        assert found.item_ids.tolist() == wanted.item_ids.tolist()
        assert np.allclose(found.signals, wanted.signals, atol=1e-5)
        assert len(set(found.item_ids.tolist()) & set(state.history.acted.tolist())) == 0


def test_a_planned_source_that_does_not_stand_here_proposes_nothing_and_keeps_its_weight() -> None:
    @dataclass(frozen=True)
    class Planning:
        retrieval: "Planning | None" = None
        constraints: object = bundle().constraints
        max_candidates: int = 30
        fresh_days: float = 30.0

        def plans(self) -> tuple[SourcePlan, ...]:
            return (SourcePlan(Source.POPULARITY, 20, 1.0, 9), SourcePlan(Source.FALLBACK, 20, 3.0, 9))

    assert Source.FALLBACK not in REPLAYED
    past, table, stage1 = world()
    found = CandidateFinder(table, stage1, Planning(Planning()), NOW_MS).find(past.state(0))  # type: ignore[arg-type]
    assert found.by_source[Source.FALLBACK].tolist() == []
    assert found.item_ids.tolist() == found.by_source[Source.POPULARITY].tolist() != []
    share = found.signals[0, SIGNALS.index("fused_log_share")]
    assert share == pytest.approx(np.log(RANK_CONSTANT / (RANK_CONSTANT + 1.0) / 4.0), abs=1e-5)


def test_a_user_of_whom_nothing_is_known_has_candidates() -> None:
    _, table, stage1 = world()
    found = CandidateFinder(table, stage1, bundle(), NOW_MS).find(UserState())
    assert len(found.item_ids) == 42
    assert np.isfinite(found.signals).all()
