"""`Retriever`: the candidate stage. Asks every planned source in parallel, merges, and measures signals."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import Source
from loopwright.domain.vectors import F32, F64, U64
from loopwright.faults import BundleNotLoaded, DeadlineExceeded, Fault
from loopwright.featurespec.covisitation import Graph, GraphScores, scores_of
from loopwright.featurespec.signals import SIGNALS, candidate_signals
from loopwright.modelstore.loading import BundleLoader
from loopwright.pipeline.types import CandidateSet, RetrievalQuery, SourcePlan, SourceReport
from loopwright.retrieval.index.tower_index import TowerIndex
from loopwright.retrieval.items import ItemSnapshot
from loopwright.retrieval.merging import merge
from loopwright.retrieval.query import Evidence, Proposal, nothing
from loopwright.retrieval.sources import CandidateSource
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger, names, observe, span

_log = get_logger(__name__)


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
        executor: Executor,
    ) -> None:
        """Compose the retriever.

        Args:
            bundles: What each published bundle pins.
            items: Returns the items as of a mesh time in milliseconds.
            graph: Returns the present co-visitation graph.
            sources: Every source there is.
            executor: Where sources run that cost more than going there.
        """
        self._bundles, self._items, self._graph = bundles, items, graph
        self._sources = {source.source: source for source in sources}
        self._executor = executor
        self._cost_s: dict[Source, float] = {}

    async def retrieve(self, query: RetrievalQuery, deadline: Deadline) -> CandidateSet:
        """Return merged candidates, best first; a source that fails or is late is missing, and its report says so.

        Raises:
            BundleNotLoaded: The bundle is not loaded here, or pins another two-tower version.
            DeadlineExceeded: The deadline passed while merging.
        """
        evidence = self._evidence(query)
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._ask(plan, evidence, deadline)) for plan in query.sources]
        answers = [task.result() for task in asked]
        reports = tuple(report for _, report in answers)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(deadline.remaining()):
                return await loop.run_in_executor(
                    self._executor, assemble, evidence, [proposal for proposal, _ in answers], reports
                )
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

    async def _ask(self, plan: SourcePlan, evidence: Evidence, deadline: Deadline) -> tuple[Proposal, SourceReport]:
        began = time.monotonic()
        budget = deadline.child(plan.budget_ms / 1000)
        proposal, reason = nothing(), ""
        with span(names.RETRIEVE_SOURCE, fill=plan.source.name.lower()):
            try:
                async with asyncio.timeout(budget.remaining()):
                    proposal = await self._propose(plan, evidence)
            except TimeoutError:
                reason = "TIMEOUT"
            except Fault as fault:
                reason = fault.reason
            except Exception as error:
                reason = "INTERNAL"
                _log.error("source failed", extra={"source": plan.source.name}, exc_info=error)
        found = len(proposal.item_ids)
        observe(names.CANDIDATES, found, source=plan.source.name.lower())
        latency_us = round((time.monotonic() - began) * 1e6)
        return proposal, SourceReport(plan.source, found, latency_us, bool(reason), reason)

    async def _propose(self, plan: SourcePlan, evidence: Evidence) -> Proposal:
        if self._cost_s.get(plan.source, math.inf) < INLINE_S:
            return self._proposed(plan, evidence)
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._proposed, plan, evidence)

    def _proposed(self, plan: SourcePlan, evidence: Evidence) -> Proposal:
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
    towers = (None, None, None) if Source.TWO_TOWER in failed else _tower_evidence(evidence, merged.item_ids)
    user, vectors, squares = towers
    graph = None if Source.CO_VISITATION in failed else _graph_evidence(evidence, merged.item_ids)
    return CandidateSet(
        item_ids=merged.item_ids,
        fused_scores=merged.fused,
        source_ranks=merged.ranks,
        source_scores=merged.scores,
        signals=candidate_signals(user, vectors, graph, merged.fused, [plan.weight for plan in query.sources], squares),
        signal_names=SIGNALS,
        reports=reports,
        index_epoch=evidence.index.epoch if evidence.index else "",
    )


def _tower_evidence(evidence: Evidence, item_ids: U64) -> tuple[F32 | None, F32 | None, F64 | None]:
    if evidence.index is None:
        return None, None, None
    return evidence.user_embedding, *evidence.index.embeddings_of(item_ids)


def _graph_evidence(evidence: Evidence, item_ids: U64) -> GraphScores:
    return scores_of(evidence.graph, evidence.graph_scores, item_ids)
