"""`Retriever`: the candidate stage. Asks every planned source, merges, and measures signals."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import Source
from loopwright.faults import BundleNotLoaded, DeadlineExceeded
from loopwright.featurespec.covisitation import Graph, scores_of
from loopwright.featurespec.signals import SIGNALS, TowerProducts, candidate_signals, squared_lengths, tower_products
from loopwright.modelstore.loading import BundleLoader
from loopwright.pipeline.types import CandidateSet, RetrievalQuery, SourcePlan, SourceReport
from loopwright.retrieval.asking import Asking, Threads
from loopwright.retrieval.index.tower_index import TowerIndex
from loopwright.retrieval.items import ItemSnapshot
from loopwright.retrieval.merging import Merged, merge
from loopwright.retrieval.query import Evidence, Proposal
from loopwright.retrieval.sources import CandidateSource
from loopwright.rpc import Deadline

INLINE_S = 0.0002
"""CPU time of a source below which it is asked on the event loop: a hop to a thread and back costs half of that."""

LEARNING_RATE = 0.1
"""How fast a source that has become cheaper is believed to be."""


class Retriever:
    """Proposes candidates under the bundle that a request names."""

    def __init__(
        self,
        bundles: BundleLoader[PolicyBundle, TowerIndex | None],
        items: Callable[[int], ItemSnapshot],
        graph: Callable[[], Graph],
        sources: Sequence[CandidateSource],
        threads: Threads,
    ) -> None:
        """Compose the retriever.

        Args:
            bundles: What each published bundle pins.
            items: Returns the items as of a mesh time in milliseconds.
            graph: Returns the present co-visitation graph.
            sources: Every source there is.
            threads: Where sources run that cost more than going there, and where answers are made without them.
        """
        self._bundles, self._items, self._graph = bundles, items, graph
        self._sources = {source.source: source for source in sources}
        self._threads = threads
        self._cost_s: dict[Source, float] = {}

    async def retrieve(self, query: RetrievalQuery, deadline: Deadline) -> CandidateSet:
        """Return merged candidates, best first; a source that fails or is late is missing, and its report says so.

        Raises:
            BundleNotLoaded: The bundle is not loaded here, or pins another two-tower version.
            DeadlineExceeded: The deadline passed while merging.
        """
        evidence = self._evidence(query)
        asking = Asking(partial(self._proposed, evidence), partial(assemble, evidence), self._threads)
        try:
            return await asking.answer(query.sources, self._is_cheap, deadline)
        except TimeoutError as error:
            raise DeadlineExceeded() from error

    def _evidence(self, query: RetrievalQuery) -> Evidence:
        index = self._bundles.get(query.policy_version)
        pinned = index.tower.version if index else ""
        if pinned != query.two_tower_version:
            raise BundleNotLoaded(
                "the bundle pins another two-tower version than the request names",
                metadata={"policy_version": query.policy_version},
            )
        return Evidence(
            query,
            self._items(query.now_ms),
            self._graph(),
            index.tower if index else None,
            index.view if index else None,
        )

    def _is_cheap(self, plan: SourcePlan) -> bool:
        return self._cost_s.get(plan.source, math.inf) < INLINE_S

    def _proposed(self, evidence: Evidence, plan: SourcePlan) -> Proposal:
        """Ask the source on this thread, and learn what it costs: more at once, less slowly."""
        began = time.thread_time()
        try:
            return self._sources[plan.source].propose(evidence, plan.quota)
        finally:
            cost_s = time.thread_time() - began
            before_s = self._cost_s.get(plan.source, cost_s)
            self._cost_s[plan.source] = max(cost_s, before_s + LEARNING_RATE * (cost_s - before_s))


def assemble(evidence: Evidence, proposals: Sequence[Proposal], reports: tuple[SourceReport, ...]) -> CandidateSet:
    """Return the merged proposals with signals for every candidate; pure."""
    query = evidence.query
    merged = merge(query.sources, proposals, query.max_candidates)
    failed = {report.source for report in reports if report.failed}
    towers = None if Source.TWO_TOWER in failed else tower_evidence(evidence, proposals, merged)
    graph = None if Source.CO_VISITATION in failed else scores_of(evidence.graph_scores, merged.item_ids)
    return CandidateSet(
        item_ids=merged.item_ids,
        fused_scores=merged.fused,
        source_ranks=merged.ranks,
        source_scores=merged.scores,
        signals=candidate_signals(towers, graph, merged.fused, [plan.weight for plan in query.sources]),
        signal_names=SIGNALS,
        reports=reports,
        index_epoch=evidence.index.epoch if evidence.index else "",
    )


def tower_evidence(evidence: Evidence, proposals: Sequence[Proposal], merged: Merged) -> TowerProducts | None:
    """Return the two-tower products of every candidate, None without a model; what a source measured is taken over."""
    user, index = evidence.user_embedding, evidence.index
    if user is None or index is None:
        return None
    others = np.ones(len(merged.item_ids), dtype=np.bool_)
    dots, squares = np.zeros(len(others)), np.zeros(len(others))
    for proposal, ranks in zip(proposals, merged.ranks.T, strict=True):
        if proposal.products is not None:
            rows = np.flatnonzero(ranks)
            places = ranks[rows].astype(np.int64) - 1
            dots[rows], squares[rows] = proposal.products.dots[places], proposal.products.squares[places]
            others[rows] = False
    rest = np.flatnonzero(others)
    if len(rest):
        measured = tower_products(user, *index.embeddings_of(merged.item_ids[rest]))
        dots[rest], squares[rest] = measured.dots, measured.squares
    return TowerProducts(dots, squares, float(squared_lengths(user[None])[0]))
