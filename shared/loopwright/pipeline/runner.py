"""Runs the stages of one request in order, with spans, budgets, timings and length checks; the front door calls it.

Stages never call each other. The ledger is awaited and may refuse the answer; effects are best effort.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from loopwright.domain.enums import DegradationReason, Stage
from loopwright.domain.guards import guard_bits
from loopwright.faults import BundleNotLoaded, DependencyDown, Fault, Internal, Kind
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.stages import (
    CandidateStage,
    ItemColumnStage,
    ScoreStage,
    SlateStage,
    UserContextStage,
)
from loopwright.pipeline.types import U8, CandidateSet, Degradation, ItemColumns, Scores, Slate, UserContext
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger, names, observe, span

log = get_logger(__name__)
T = TypeVar("T")

_SPANS = {
    Stage.HYDRATE_USER: names.HYDRATE_USER,
    Stage.RETRIEVE: names.RETRIEVE,
    Stage.HYDRATE_ITEMS: names.HYDRATE_ITEMS,
    Stage.RANK: names.RANK,
    Stage.DECIDE: names.DECIDE,
    Stage.RECORD: names.RECORD,
}


class StageLate(DependencyDown):
    """A stage took longer than its budget while the caller still had time."""

    reason = "STAGE_LATE"


class Ledger(Protocol):
    """The awaited way to the log: no acknowledgement, no slate."""

    async def record(self, record: DecisionRecord, answer: Answer, deadline: Deadline) -> Answer:
        """Return the answer to give: this one with tokens, or the stored one of an earlier call."""
        ...


class Effect(Protocol):
    """A best-effort consequence of a slate; its failure never changes the answer."""

    async def apply(self, plan: Plan, answer: Answer, deadline: Deadline) -> None:
        """Carry it out."""
        ...


@dataclass(slots=True)
class PipelineRun:
    """What every stage of one request gave, with stage timings in microseconds."""

    plan: Plan
    user: UserContext
    found: CandidateSet
    items: ItemColumns
    scores: Scores
    guards: U8
    slate: Slate
    degradations: list[Degradation] = field(default_factory=list)
    timings_us: dict[Stage, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The request path as a list that can be read."""

    context: UserContextStage
    candidates: CandidateStage
    columns: ItemColumnStage
    scores: ScoreStage
    slate: SlateStage
    ledger: Ledger
    effects: tuple[Effect, ...] = ()

    async def user(self, plan: Plan, deadline: Deadline, timings: dict[Stage, int]) -> UserContext:
        """Run the first stage alone; the front door looks for a stored answer before going on."""
        return await self._staged(
            Stage.HYDRATE_USER, plan, deadline, timings, lambda d: self.context.user_context(plan.user_query(), d)
        )

    async def execute(
        self, plan: Plan, user: UserContext, deadline: Deadline, timings: dict[Stage, int]
    ) -> PipelineRun:
        """Run retrieval to policy for a hydrated user.

        Raises:
            BundleNotLoaded: A leaf does not hold the plan's policy version.
            Fault: A stage that nothing can stand in for failed.
        """
        degradations = list(user.degradations)
        found = await self._staged(
            Stage.RETRIEVE, plan, deadline, timings,
            lambda d: self.candidates.retrieve(plan.retrieval_query(user), d),
        )  # fmt: skip
        degradations += [
            Degradation(Stage.RETRIEVE, DegradationReason.SOURCE_FAILED, report.source.name.lower())
            for report in found.reports
            if report.failed
        ]
        items = await self._staged(
            Stage.HYDRATE_ITEMS, plan, deadline, timings,
            lambda d: self.columns.item_columns(plan.item_query(user, found), d),
        )  # fmt: skip
        _same_length(Stage.HYDRATE_ITEMS, len(items.columns), len(found.item_ids))
        degradations += items.degradations
        scores = await self._scored(plan, user, found, items, deadline, timings, degradations)
        guards = guard_bits(
            found.item_ids,
            items.creator_ids,
            seen=plan.seen(user),
            recent=user.recent,
            blocked_items=user.blocked_items,
            blocked_creators=user.blocked_creators,
            excluded=plan.request.excluded,
        )
        slate = await self._staged(
            Stage.DECIDE, plan, deadline, timings,
            lambda d: self.slate.decide(plan.slate_query(found, items, scores, guards), d),
        )  # fmt: skip
        _same_length(Stage.DECIDE, len(slate.utility), len(scores.best))
        if len(slate.indices) < plan.request.k:
            degradations.append(Degradation(Stage.DECIDE, DegradationReason.SHORT_SLATE))
        return PipelineRun(plan, user, found, items, scores, guards, slate, degradations, timings)

    async def settle(self, run: PipelineRun, record: DecisionRecord, answer: Answer, deadline: Deadline) -> Answer:
        """Append the record, apply the effects beside it, and return the answer to give.

        Raises:
            Fault: The record is not durable; there is no slate.
        """
        tasks = [asyncio.create_task(_best_effort(effect, run.plan, answer, deadline)) for effect in self.effects]
        try:
            return await self._staged(
                Stage.RECORD, run.plan, deadline, run.timings_us, lambda d: self.ledger.record(record, answer, d)
            )
        finally:
            await asyncio.gather(*tasks)

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
        try:
            scores = await self._staged(
                Stage.RANK, plan, deadline, timings,
                lambda d: self.scores.score(plan.score_query(user, found, items), d),
            )  # fmt: skip
        except BundleNotLoaded:
            raise
        except Fault as fault:
            if fault.kind is not Kind.UNAVAILABLE or deadline.expired:
                raise
            log.warning("ranking failed, retrieval order stands in", extra={"reason": fault.reason})
            late = isinstance(fault, StageLate)
            reason = DegradationReason.TIMEOUT if late else DegradationReason.UNAVAILABLE
            degradations.append(Degradation(Stage.RANK, reason))
            return plan.retrieval_scores(found)
        _same_length(Stage.RANK, len(scores.pre_scores), len(found.item_ids))
        return scores

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
            with span(_SPANS[stage]):
                async with asyncio.timeout(budget.remaining()):
                    return await call(budget)
        except TimeoutError as late:
            deadline.check()
            raise StageLate(f"{stage.name.lower()} took longer than its budget") from late
        finally:
            elapsed = time.perf_counter() - started
            timings[stage] = int(elapsed * 1e6)
            observe(names.STAGE_DURATION, elapsed, stage=stage.name.lower())


def _same_length(stage: Stage, got: int, want: int) -> None:
    if got != want:
        raise Internal(f"{stage.name.lower()} answered {got} rows for {want} candidates")


async def _best_effort(effect: Effect, plan: Plan, answer: Answer, deadline: Deadline) -> None:
    try:
        async with asyncio.timeout(deadline.remaining()):
            await effect.apply(plan, answer, deadline)
    except (Fault, TimeoutError) as fault:
        log.warning("an effect of a slate failed", extra={"effect": type(effect).__name__, "fault": str(fault)})


def scattered(rows: np.ndarray, values: np.ndarray, length: int, fill: float = 0) -> np.ndarray:
    """Return an array of `length` rows holding `values` at `rows` and `fill` elsewhere."""
    out = np.full((length, *values.shape[1:]), fill, dtype=values.dtype)
    out[rows] = values
    return out
