"""Runs the stages of one request in order, with spans, budgets, timings and length checks; the front door calls it.

Stages never call each other. A lost stage is stood in for and the run says so; what counts as lost is in `losses`, what
stands in is in `fallback`. The ledger is awaited and may refuse the answer.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from loopwright.domain.enums import DegradationReason, Stage
from loopwright.faults import Fault
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.fallback import fallback_candidates, fallback_run, stood_in, unknown_user
from loopwright.pipeline.losses import BrokenAnswer, StageLate, StageLost, loss_of, stage_fault, told_when
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.run import PipelineRun
from loopwright.pipeline.stages import (
    CandidateStage,
    ItemColumnStage,
    ScoreStage,
    SlateStage,
    UserContextStage,
)
from loopwright.pipeline.types import CandidateSet, Degradation, ItemColumns, Scores, Slate, UserContext
from loopwright.rpc import Deadline
from loopwright.rpc.alarms import within
from loopwright.telemetry import names, observe, span

T = TypeVar("T")

_SPANS = {
    Stage.HYDRATE_USER: names.HYDRATE_USER,
    Stage.RETRIEVE: names.RETRIEVE,
    Stage.HYDRATE_ITEMS: names.HYDRATE_ITEMS,
    Stage.RANK: names.RANK,
    Stage.DECIDE: names.DECIDE,
    Stage.RECORD: names.RECORD,
}


class Ledger(Protocol):
    """The awaited way to the log: no acknowledgement, no slate."""

    async def record(self, record: DecisionRecord, answer: Answer, deadline: Deadline) -> Answer:
        """Return the answer to give: this one with tokens, or the stored one of an earlier call."""
        ...


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The request path as a list that can be read."""

    context: UserContextStage
    candidates: CandidateStage
    columns: ItemColumnStage
    scores: ScoreStage
    slate: SlateStage
    ledger: Ledger

    async def user(self, plan: Plan, deadline: Deadline, timings: dict[Stage, int]) -> UserContext:
        """Run the first stage alone; the front door looks for a stored answer before going on.

        Raises:
            Fault: The stage failed otherwise than by a loss, or nothing stands in.
        """
        try:
            return await self._staged(
                Stage.HYDRATE_USER, plan, deadline, timings, lambda d: self.context.user_context(plan.user_query(), d)
            )
        except Fault as fault:
            return unknown_user(plan, loss_of(Stage.HYDRATE_USER, fault, _order(plan)))

    async def execute(
        self, plan: Plan, user: UserContext, deadline: Deadline, timings: dict[Stage, int]
    ) -> PipelineRun:
        """Run retrieval to policy for a hydrated user; for any other, or when a stage is lost, take the fallback slate.

        Args:
            plan: The request under its bundle.
            user: What `user` returned.
            deadline: When all of these stages have to be over; the record comes after it.
            timings: Where to put stage timings.

        Raises:
            BundleNotLoaded: A leaf does not hold the plan's policy version.
            Fault: A stage failed that nothing stands in for.
        """
        degradations = list(user.degradations)
        try:
            if user.hydrated:
                return await self._planned(plan, user, deadline, timings, degradations)
        except StageLost as lost:
            degradations.append(lost.degradation)
        return fallback_run(plan, plan.last_resort(), user, degradations, timings)

    async def settle(self, run: PipelineRun, record: DecisionRecord, answer: Answer, deadline: Deadline) -> Answer:
        """Append the record and return the answer to give.

        Raises:
            Fault: The record is not durable; there is no slate.
        """
        try:
            return await self._staged(
                Stage.RECORD, run.plan, deadline, run.timings_us, lambda d: self.ledger.record(record, answer, d)
            )
        except Fault as fault:
            told_when(fault)
            raise

    async def _planned(
        self,
        plan: Plan,
        user: UserContext,
        deadline: Deadline,
        timings: dict[Stage, int],
        degradations: list[Degradation],
    ) -> PipelineRun:
        found = await self._found(plan, user, deadline, timings, degradations)
        items = await self._kept(
            Stage.HYDRATE_ITEMS, plan, deadline, timings, lambda d: self._hydrated(plan, user, found, d)
        )
        degradations += items.degradations
        scores = await self._scored(plan, user, found, items, deadline, timings, degradations)
        guards = plan.guards(user, found.item_ids, items.creator_ids)
        query = plan.slate_query(found, items, scores, guards)

        async def decided(budget: Deadline) -> Slate:
            slate = await self.slate.decide(query, budget)
            _same_length(Stage.DECIDE, len(slate.utility), len(scores.best))
            return slate

        slate = await self._kept(Stage.DECIDE, plan, deadline, timings, decided)
        if len(slate.indices) < plan.request.k:
            degradations.append(Degradation(Stage.DECIDE, DegradationReason.SHORT_SLATE))
        return PipelineRun(plan, user, found, items, scores, guards, slate, degradations, timings)

    async def _found(
        self,
        plan: Plan,
        user: UserContext,
        deadline: Deadline,
        timings: dict[Stage, int],
        degradations: list[Degradation],
    ) -> CandidateSet:
        try:
            found = await self._staged(
                Stage.RETRIEVE, plan, deadline, timings,
                lambda d: self.candidates.retrieve(plan.retrieval_query(user), d),
            )  # fmt: skip
        except Fault as fault:
            degradations.append(loss_of(Stage.RETRIEVE, fault, _order(plan)))
        else:
            failed = [report for report in found.reports if report.failed]
            degradations += [
                Degradation(Stage.RETRIEVE, DegradationReason.SOURCE_FAILED, report.source.name.lower())
                for report in failed
            ]
            if plan.fallback is None or len(failed) < len(found.reports) or not failed:
                return found
        order = plan.last_resort()
        degradations.append(stood_in(Stage.RETRIEVE, order))
        return fallback_candidates(plan, order, user)

    async def _hydrated(self, plan: Plan, user: UserContext, found: CandidateSet, budget: Deadline) -> ItemColumns:
        items = await self.columns.item_columns(plan.item_query(user, found), budget)
        _same_length(Stage.HYDRATE_ITEMS, len(items.columns), len(found.item_ids))
        return items

    async def _scored(
        self,
        plan: Plan,
        user: UserContext,
        found: CandidateSet,
        items: ItemColumns,
        deadline: Deadline,
        timings: dict[Stage, int],
        degradations: list[Degradation],
    ) -> Scores:
        if not plan.ranked or not len(found.item_ids):
            return plan.retrieval_scores(found)

        async def scored(budget: Deadline) -> Scores:
            scores = await self.scores.score(plan.score_query(user, found, items), budget)
            _same_length(Stage.RANK, len(scores.pre_scores), len(found.item_ids))
            return scores

        try:
            return await self._staged(Stage.RANK, plan, deadline, timings, scored)
        except Fault as fault:
            degradations.append(loss_of(Stage.RANK, fault, "retrieval order"))
            return plan.retrieval_scores(found)

    async def _kept(
        self,
        stage: Stage,
        plan: Plan,
        deadline: Deadline,
        timings: dict[Stage, int],
        call: Callable[[Deadline], Awaitable[T]],
    ) -> T:
        try:
            return await self._staged(stage, plan, deadline, timings, call)
        except Fault as fault:
            raise StageLost(loss_of(stage, fault, _order(plan))) from fault

    async def _staged(
        self,
        stage: Stage,
        plan: Plan,
        deadline: Deadline,
        timings: dict[Stage, int],
        call: Callable[[Deadline], Awaitable[T]],
    ) -> T:
        budget = deadline.child(plan.stage_budget_s(stage))
        started = time.perf_counter()
        try:
            with span(_SPANS[stage]), within(budget.remaining()):
                return await call(budget)
        except TimeoutError as late:
            raise StageLate(f"{stage.name.lower()} took longer than its budget") from late
        except Fault as fault:
            told = stage_fault(stage, fault)
            if told is fault:
                raise
            raise told from fault
        finally:
            elapsed = time.perf_counter() - started
            timings[stage] = int(elapsed * 1e6)
            observe(names.STAGE_DURATION, elapsed, stage=stage.name.lower())


def _order(plan: Plan) -> str:
    return "" if plan.fallback is None else f"fallback order {plan.fallback.label}"


def _same_length(stage: Stage, got: int, want: int) -> None:
    if got != want:
        raise BrokenAnswer(f"{stage.name.lower()} answered {got} rows for {want} candidates")
