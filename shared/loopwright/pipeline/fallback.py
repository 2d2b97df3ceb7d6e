"""What stands in when a stage is lost: candidates or a whole slate from the fallback order, pure.

The order is policy's. Here ids that must not be shown to this user are taken out of it, and nothing is scored or moved.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from loopwright.bundle import FallbackOrder
from loopwright.domain.enums import DegradationReason, DropReason, Mask, Scheme, Source, Stage
from loopwright.domain.guards import ineligible
from loopwright.featurespec.columns import NO_AGE
from loopwright.featurespec.fusion import fused_scores
from loopwright.featurespec.signals import SIGNALS, candidate_signals
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.run import PipelineRun
from loopwright.pipeline.types import (
    F32,
    U8,
    U16,
    CandidateSet,
    CrossContext,
    Degradation,
    History,
    ItemColumns,
    Propensity,
    Scores,
    Slate,
    SourceReport,
    UserContext,
)

NOTHING_DRAWN: Final = Propensity(rho=0.0, n=0, m=0, s=0)
"""Of a slate that follows from the order and the guards alone."""


def stood_in(stage: Stage, order: FallbackOrder) -> Degradation:
    """Return what the record says of the order that stood in for a stage."""
    return Degradation(stage, DegradationReason.FALLBACK, order.label)


def unknown_user(plan: Plan, loss: Degradation) -> UserContext:
    """Return the context of a user whose row could not be had: no columns, every group NOT_ANSWERED, no guards."""
    groups = len(plan.bundle.features.user)
    ids, numbers = np.zeros(0, np.uint64), np.zeros(0, np.float32)
    return UserContext(
        columns=np.zeros(0, np.float16),
        group_ages_s=np.full(groups, NO_AGE, np.uint32),
        group_mask=np.full(groups, Mask.NOT_ANSWERED, np.uint8),
        history=History(ids, np.zeros(0, np.uint8), numbers, np.zeros(0, np.uint32)),
        cross=CrossContext(numbers, ids, numbers, ids, numbers, numbers, ""),
        acted=ids,
        viewed=ids,
        blocked_items=ids,
        blocked_creators=ids,
        recent=ids,
        stored_answer=b"",
        degradations=(loss,),
        hydrated=False,
    )


def fallback_candidates(plan: Plan, order: FallbackOrder, user: UserContext) -> CandidateSet:
    """Return the order as retrieval would hand it over: best first, without what the guards bar, credited to FALLBACK.

    Signals are those of a retrieval whose model and graph did not answer.
    """
    rows = np.flatnonzero(ineligible(_cleared(order), plan.guards(user, order.item_ids, order.creator_ids)) == 0)
    rows = rows[: plan.bundle.retrieval.max_candidates]
    ranks, fused = _places(order)
    return CandidateSet(
        item_ids=order.item_ids[rows],
        fused_scores=fused[rows],
        source_ranks=ranks[rows],
        source_scores=fused[rows].reshape(-1, 1),
        signals=candidate_signals(None, None, fused[rows], [1.0]),
        signal_names=SIGNALS,
        reports=_credited(len(rows)),
        index_epoch=order.epoch,
    )


def fallback_run(
    plan: Plan,
    order: FallbackOrder,
    user: UserContext,
    degradations: list[Degradation],
    timings_us: dict[Stage, int],
) -> PipelineRun:
    """Return the run that ends in a fallback slate: the first k of the order that the known guards do not bar.

    Nothing of the items was hydrated or scored, and the record says so by columns of no width.
    """
    n, groups = len(order), len(plan.bundle.features.item)
    guards = plan.guards(user, order.item_ids, order.creator_ids)
    slate = first_eligible(_cleared(order), guards, plan.request.k)
    ranks, fused = _places(order)
    found = CandidateSet(
        item_ids=order.item_ids,
        fused_scores=fused,
        source_ranks=ranks,
        source_scores=fused.reshape(-1, 1),
        signals=np.zeros((n, 0), np.float32),
        signal_names=(),
        reports=_credited(n),
        index_epoch=order.epoch,
    )
    items = ItemColumns(
        columns=np.zeros((n, 0), np.float16),
        group_ages_s=np.full((n, groups), NO_AGE, np.uint32),
        group_mask=np.full((n, groups), Mask.NOT_ANSWERED, np.uint8),
        creator_ids=order.creator_ids,
        first_tag_ids=order.first_tag_ids,
        eligibility=_cleared(order),
        content=np.zeros((n, 0), np.float16),
        external_ids=order.external_ids,
        degradations=(),
    )
    scores = Scores(
        pre_scores=np.zeros(0, np.float32),
        best=np.arange(n, dtype=np.uint32),
        heads=np.zeros((n, 0), np.float32),
        head_names=(),
    )
    notes = [*degradations, stood_in(Stage.DECIDE, order)]
    if len(slate.indices) < plan.request.k:
        notes.append(Degradation(Stage.DECIDE, DegradationReason.SHORT_SLATE))
    return PipelineRun(plan, user, found, items, scores, guards, slate, notes, timings_us)


def first_eligible(eligibility: U8, guards: U8, k: int) -> Slate:
    """Return the first k rows that nothing bars; the runner and verification both call it.

    Given order and guards there is no other slate: every probability is 1, and nothing supports a comparison.
    """
    drops = ineligible(eligibility, guards)
    kept = np.flatnonzero(drops == DropReason.KEPT)
    drops[kept] = DropReason.OUTRANKED
    chosen = kept[:k]
    drops[chosen] = DropReason.KEPT
    length = len(chosen)
    return Slate(
        indices=chosen.astype(np.uint32),
        p_shown=np.ones(length),
        p_position=np.ones(length),
        schemes=np.full(length, Scheme.NONE, np.uint8),
        pre_swap_ranks=np.arange(1, length + 1, dtype=np.uint32),
        utility=np.zeros(len(drops)),
        drop_reasons=drops,
        mutations=(),
        propensity=NOTHING_DRAWN,
    )


def _cleared(order: FallbackOrder) -> U8:
    return np.zeros(len(order), np.uint8)  # policy has put no other items into it


def _places(order: FallbackOrder) -> tuple[U16, F32]:
    ranks = np.arange(1, len(order) + 1, dtype=np.uint16).reshape(-1, 1)
    return ranks, fused_scores(ranks, [1.0])


def _credited(count: int) -> tuple[SourceReport, ...]:
    return (SourceReport(Source.FALLBACK, count, 0, False, ""),)
