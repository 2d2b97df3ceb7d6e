"""Puts the record and the answer of a finished run together; pure, called by the front door."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loopwright.domain.enums import DropReason, Exploration, Purpose, Scheme, Stage
from loopwright.domain.randomness import unit
from loopwright.pipeline.answer import Answer, RecommendedItem
from loopwright.pipeline.record import (
    CandidateTable,
    DecisionRecord,
    RequestRecord,
    SlatePosition,
    input_digests,
)
from loopwright.pipeline.run import PipelineRun, scattered
from loopwright.pipeline.types import Degradation, Request, Versions


@dataclass(frozen=True, slots=True)
class Identity:
    """What the front door draws once per decision: id, wall time and experiment arm."""

    decision_id: bytes
    wall_ms: int
    arm: str = ""


def request_record(request: Request, exploration: Exploration) -> RequestRecord:
    """Return the part of the request that goes on record."""
    return RequestRecord(
        request_id=request.request_id,
        subject=request.subject,
        session_id=request.session_id,
        page_start=request.page_start,
        k=request.k,
        anchors=request.anchors,
        excluded=request.excluded,
        locale=request.locale,
        client_version=request.client_version,
        purpose=request.purpose,
        exploration=exploration,
        request_hash=request.request_hash,
        sealed_external_id=request.raw_external_id,
        sealed_query_text=request.raw_query_text,
    )


def wants_funnel(run: PipelineRun) -> bool:
    """Say whether the whole funnel goes on record: by seed at the bundle's rate, always in the slice."""
    plan = run.plan
    if plan.request.purpose is Purpose.EVALUATE:
        return plan.request.record_funnel
    if plan.request.record_funnel or bool((run.slate.schemes == Scheme.SLICE).any()):
        return True
    return unit(plan.seed, "funnel") < plan.bundle.funnel.rate


def candidate_table(run: PipelineRun) -> CandidateTable:
    """Return every candidate of the run in retrieval order, with scores scattered from the cut's rows."""
    found, items, scores, slate = run.found, run.items, run.scores, run.slate
    n = len(found.item_ids)
    drops = scattered(scores.best, slate.drop_reasons, n, fill=DropReason.CUT)
    ranked = len(scores.pre_scores) > 0
    return CandidateTable(
        item_ids=found.item_ids,
        fused_scores=found.fused_scores,
        source_ranks=found.source_ranks,
        source_scores=found.source_scores,
        signals=found.signals,
        item_columns=items.columns,
        group_ages_s=items.group_ages_s,
        group_mask=items.group_mask,
        pre_scores=scores.pre_scores,
        heads=scattered(scores.best, scores.heads, n) if ranked else np.empty((0, 0), dtype=np.float32),
        creator_ids=items.creator_ids,
        first_tag_ids=items.first_tag_ids,
        eligibility=items.eligibility,
        guards=run.guards,
        utility=scattered(scores.best, slate.utility, n),
        content=items.content,
        drop_reasons=drops,
    )


def slate_table(run: PipelineRun) -> CandidateTable:
    """Return the rows of `candidate_table` that are in the slate, in its order, without making the others."""
    found, items, scores, slate = run.found, run.items, run.scores, run.slate
    rows = scores.best[slate.indices]
    ranked = len(scores.pre_scores) > 0
    return CandidateTable(
        item_ids=found.item_ids[rows],
        fused_scores=found.fused_scores[rows],
        source_ranks=found.source_ranks[rows],
        source_scores=found.source_scores[rows],
        signals=found.signals[rows],
        item_columns=items.columns[rows],
        group_ages_s=items.group_ages_s[rows],
        group_mask=items.group_mask[rows],
        pre_scores=scores.pre_scores[rows] if ranked else scores.pre_scores,
        heads=scores.heads[slate.indices] if ranked else np.empty((0, 0), dtype=np.float32),
        creator_ids=items.creator_ids[rows],
        first_tag_ids=items.first_tag_ids[rows],
        eligibility=items.eligibility[rows],
        guards=run.guards[rows],
        utility=slate.utility[slate.indices],
        content=items.content[rows],
        drop_reasons=slate.drop_reasons[slate.indices],
    )


def versions_of(run: PipelineRun) -> Versions:
    """Return everything that shaped the decision."""
    models = run.plan.bundle.models
    return Versions(
        policy_version=run.plan.policy_version,
        two_tower_version=models.two_tower,
        pre_ranker_version=models.pre_ranker,
        ranker_version=models.ranker,
        index_epoch=run.found.index_epoch,
        feature_groups=run.plan.feature_groups,
    )


def assemble(
    run: PipelineRun, identity: Identity, extra: tuple[Degradation, ...] = ()
) -> tuple[DecisionRecord, Answer]:
    """Return the record and the answer (still without tokens) of a finished run.

    Args:
        run: The finished run.
        identity: Id, wall time and arm of the decision.
        extra: Degradations of the front door itself.
    """
    plan, found, slate = run.plan, run.found, run.slate
    degradations = (*extra, *run.degradations)
    rows = run.scores.best[slate.indices]
    randomised = slate.propensity.rho > 0
    columns = (found.item_ids[rows], slate.pre_swap_ranks, slate.p_shown, slate.p_position, slate.schemes)
    positions = tuple(
        SlatePosition(item, place, rank, p_shown, p_position, Scheme(scheme), propensity_error=0.0, support=randomised)
        for place, (item, rank, p_shown, p_position, scheme) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True), plan.request.page_start + 1
        )
    )
    planned = [report.source for report in found.reports]
    items = tuple(
        RecommendedItem(
            external_id=run.items.external_ids[row],
            position=position.position,
            sources=tuple(s for s, rank in zip(planned, ranks, strict=True) if rank),
            p_shown=position.p_shown,
            p_position=position.p_position,
            scheme=position.scheme,
        )
        for position, row, ranks in zip(positions, rows.tolist(), found.source_ranks[rows].tolist(), strict=True)
    )
    versions = versions_of(run)
    record = DecisionRecord(
        decision_id=identity.decision_id,
        surface=plan.request.surface,
        occurred_at_ms=plan.now_ms,
        wall_ms=identity.wall_ms,
        request=request_record(plan.request, plan.exploration),
        versions=versions,
        seed=plan.seed,
        arm=identity.arm,
        sources=found.reports,
        signal_names=found.signal_names,
        head_names=run.scores.head_names,
        user_groups=tuple(plan.bundle.features.user),
        item_groups=tuple(plan.bundle.features.item),
        user_columns=run.user.columns,
        user_group_ages_s=run.user.group_ages_s,
        user_group_mask=run.user.group_mask,
        scored_position=plan.bundle.ranking.position if plan.ranked else 0,
        best_n=plan.bundle.ranking.best_n,
        slate=positions,
        slate_candidates=slate_table(run),
        candidates=candidate_table(run) if wants_funnel(run) else None,
        mutations=slate.mutations,
        propensity=slate.propensity,
        degradations=degradations,
        timings_us=tuple((Stage(stage), taken) for stage, taken in run.timings_us.items()),
    )
    answer = Answer(
        decision_id=identity.decision_id,
        versions=versions,
        arm=identity.arm,
        items=items,
        degradations=degradations,
        decided_at_ms=plan.now_ms,
    )
    return replace(record, input_digests=input_digests(record)), answer
