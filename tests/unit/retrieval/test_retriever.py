import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from tests.fake_feed import FakeFeed, FakeReadiness

from loopwright.bundle import PolicyBundle, default_bundle, with_models
from loopwright.domain.enums import Source
from loopwright.domain.vectors import F32, U64, Bools
from loopwright.faults import BundleNotLoaded, DependencyDown
from loopwright.featurespec.covisitation import graph_scores, scores_of
from loopwright.featurespec.history import GRAPH_WEIGHTING
from loopwright.featurespec.history import weights as history_weights
from loopwright.featurespec.signals import SIGNALS, candidate_signals, tower_products
from loopwright.featurespec.table import ItemTable
from loopwright.modelstore.loading import BundleLoader
from loopwright.modelstore.models import TwoTower
from loopwright.pipeline.types import CandidateSet, SourcePlan
from loopwright.retrieval.asking import Threads
from loopwright.retrieval.index.tower_index import TowerIndex
from loopwright.retrieval.items import ItemSnapshots
from loopwright.retrieval.query import Evidence, Proposal
from loopwright.retrieval.retriever import Retriever
from loopwright.retrieval.sources import SOURCES, CandidateSource
from loopwright.rpc import Deadline

from .conftest import BUILT_IN, evidence, history_of, indexed, liked_graph, query

GRAPH = liked_graph((1, 2, 3), (1, 2), (1, 2, 4), (5, 6))
PLANS = tuple(SourcePlan(source, 20, 1.0, 5000) for source in BUILT_IN)


@dataclass
class Rig:
    table: ItemTable
    tower: TwoTower
    bundles: BundleLoader[PolicyBundle, TowerIndex | None]
    threads: Threads
    plain: str
    pinned: str

    def retriever(self, sources: Sequence[CandidateSource] = SOURCES) -> Retriever:
        return Retriever(self.bundles, ItemSnapshots(self.table).at, lambda: GRAPH, sources, self.threads)

    async def ask(self, using: Sequence[CandidateSource] = SOURCES, **changes: object) -> CandidateSet:
        values = {"policy_version": self.pinned, "two_tower_version": self.tower.version, "sources": PLANS}
        return await self.retriever(using).retrieve(query(**{**values, **changes}), Deadline.after(20))


@pytest.fixture
async def rig(table: ItemTable, tower: TwoTower) -> AsyncIterator[Rig]:
    feed, index = FakeFeed(), indexed(tower, table)
    plain = feed.publish(default_bundle())
    pinned = feed.publish(with_models(default_bundle(), two_tower=tower.version))

    async def load(bundle: PolicyBundle) -> TowerIndex | None:
        return index if bundle.models.two_tower else None

    with ThreadPoolExecutor(4) as asking, ThreadPoolExecutor(1) as making:
        async with BundleLoader(feed, FakeReadiness(), load) as bundles:
            yield Rig(table, tower, bundles, Threads(asking, making), plain, pinned)


async def test_every_planned_source_reports_and_its_column_says_whom_it_credits(rig: Rig) -> None:
    found = await rig.ask(history=history_of(1, 5), avoid=np.array([1, 5], np.uint64))
    assert [report.source for report in found.reports] == list(BUILT_IN)
    assert not any(report.failed for report in found.reports)
    for column, report in enumerate(found.reports):
        assert int((found.source_ranks[:, column] > 0).sum()) == report.count
    assert not np.isin(found.item_ids, [1, 5]).any()
    assert len(np.unique(found.item_ids)) == len(found.item_ids)
    assert found.index_epoch != "" and found.signal_names == SIGNALS


async def test_signals_are_measured_for_candidates_of_every_source(rig: Rig) -> None:
    found = await rig.ask(history=history_of(1, 5))
    signals = dict(zip(SIGNALS, found.signals.T, strict=True))
    tower, graph = (found.source_ranks[:, column] for column in (0, 1))
    assert (signals["two_tower"][tower == 0] != 0).all() and (tower == 0).any()
    np.testing.assert_array_equal(signals["two_tower"][tower > 0], found.source_scores[tower > 0, 0])
    np.testing.assert_array_equal(signals["co_visitation"][graph > 0], found.source_scores[graph > 0, 1])


async def test_signals_are_those_of_the_candidates_embeddings_whoever_measured_them(rig: Rig) -> None:
    view, history = indexed(rig.tower, rig.table).view, history_of(1, 5, 40)
    asked = evidence(rig.table, history=history, index=indexed(rig.tower, rig.table))
    for chosen in (PLANS, PLANS[:1], PLANS[1:], PLANS[::-1]):
        found = await rig.ask(history=history, sources=chosen)
        graph = scores_of(graph_scores(GRAPH, *_weighed(asked)), found.item_ids)
        vectors, weights = view.vectors_of(found.item_ids), [plan.weight for plan in chosen]
        towers = tower_products(asked.user_embedding, vectors)
        expected = candidate_signals(towers, graph, found.fused_scores, weights)
        assert len(found.item_ids) >= 20
        np.testing.assert_array_equal(found.signals, expected)


def _weighed(asked: Evidence) -> tuple[U64, F32, Bools]:
    return asked.engaged.item_ids, history_weights(asked.engaged, GRAPH_WEIGHTING), asked.engaged.liked


async def test_equal_requests_get_equal_bytes(rig: Rig) -> None:
    answers = await asyncio.gather(*(rig.ask(history=history_of(1, 5)) for _ in range(10)))
    for name in ("item_ids", "fused_scores", "source_ranks", "source_scores", "signals"):
        assert len({getattr(answer, name).tobytes() for answer in answers}) == 1


async def test_a_bundle_without_a_two_tower_model_has_empty_neighbours_and_zero_signals(rig: Rig) -> None:
    found = await rig.ask(policy_version=rig.plain, two_tower_version="", history=history_of(1))
    assert found.index_epoch == "" and found.reports[0].count == 0 and not found.reports[0].failed
    assert not found.signals[:, SIGNALS.index("two_tower")].any()
    assert found.signals[:, SIGNALS.index("co_visitation")].any()


@pytest.mark.parametrize("changes", [{"policy_version": "unknown"}, {"two_tower_version": "0" * 64}])
async def test_a_version_that_is_not_loaded_is_refused(rig: Rig, changes: dict[str, object]) -> None:
    with pytest.raises(BundleNotLoaded):
        await rig.ask(**changes)


class Broken(CandidateSource):
    def __init__(self, source: Source, error: Exception) -> None:
        self.source, self.error = source, error

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        raise self.error


class Slow(CandidateSource):
    source = Source.TRENDING

    def __init__(self) -> None:
        self.release = threading.Event()

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        self.release.wait(30)
        return Proposal(np.array([1], np.uint64), np.ones(1, np.float32))


async def test_failing_and_late_sources_are_missing_and_reported_and_the_rest_answers(rig: Rig) -> None:
    slow = Slow()
    broken = (Broken(Source.FRESH, DependencyDown()), Broken(Source.CO_VISITATION, RuntimeError("bug")))
    good = [source for source in SOURCES if source.source in (Source.TWO_TOWER, Source.POPULARITY)]
    plans = tuple(SourcePlan(source, 20, 1.0, 50 if source is Source.TRENDING else 5000) for source in BUILT_IN)
    try:
        found = await rig.ask([*good, *broken, slow], sources=plans)
    finally:
        slow.release.set()
    reasons = {report.source: report.reason for report in found.reports}
    assert reasons == {
        Source.TWO_TOWER: "",
        Source.CO_VISITATION: "INTERNAL",
        Source.TRENDING: "TIMEOUT",
        Source.FRESH: DependencyDown.reason,
        Source.POPULARITY: "",
    }
    assert {report.source for report in found.reports if report.failed} == {
        Source.CO_VISITATION,
        Source.TRENDING,
        Source.FRESH,
    }
    assert len(found.item_ids) >= 20
    assert not found.signals[:, SIGNALS.index("co_visitation")].any()


class Counting(CandidateSource):
    source = Source.POPULARITY

    def __init__(self, work: int) -> None:
        self.work = work
        self.on_loop: list[bool] = []

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        self.on_loop.append(threading.current_thread() is threading.main_thread())
        sum(range(self.work))
        return Proposal(np.array([1], np.uint64), np.ones(1, np.float32))


async def test_a_source_is_asked_on_the_event_loop_once_it_is_known_to_be_cheap(rig: Rig) -> None:
    asked = {"policy_version": rig.plain, "sources": (SourcePlan(Source.POPULARITY, 20, 1.0, 5000),)}
    cheap, dear = Counting(1), Counting(200_000)
    for source in (cheap, dear):
        retriever = rig.retriever([source])
        for _ in range(3):
            await retriever.retrieve(query(**asked), Deadline.after(20))
    assert cheap.on_loop == [False, True, True]
    assert dear.on_loop == [False, False, False]
