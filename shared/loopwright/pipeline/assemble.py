"""Puts the record and the answer of a finished run together; pure, called by the front door."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress, repeat

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.enums import SCHEMES, DropReason, Exploration, Purpose, Scheme, Stage
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
    if plan.request.record_funnel or Scheme.SLICE in run.slate.schemes.tolist():
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


def slate_table(run: PipelineRun, rows: NDArray[np.intp]) -> CandidateTable:
    """Return the rows of `candidate_table` that are in the slate, in its order, without making the others.

    Args:
        run: The finished run.
        rows: Row of each position of the slate.
    """
    found, items, scores, slate = run.found, run.items, run.scores, run.slate
    cut = slate.indices.astype(np.intp)
    ranked = len(scores.pre_scores) > 0
    return CandidateTable(
        item_ids=found.item_ids.take(rows),
        fused_scores=found.fused_scores.take(rows),
        source_ranks=found.source_ranks.take(rows, 0),
        source_scores=found.source_scores.take(rows, 0),
        signals=found.signals.take(rows, 0),
        item_columns=items.columns.take(rows, 0),
        group_ages_s=items.group_ages_s.take(rows, 0),
        group_mask=items.group_mask.take(rows, 0),
        pre_scores=scores.pre_scores.take(rows) if ranked else scores.pre_scores,
        heads=scores.heads.take(cut, 0) if ranked else np.empty((0, 0), dtype=np.float32),
        creator_ids=items.creator_ids.take(rows),
        first_tag_ids=items.first_tag_ids.take(rows),
        eligibility=items.eligibility.take(rows),
        guards=run.guards.take(rows),
        utility=slate.utility.take(cut),
        content=items.content.take(rows, 0),
        drop_reasons=slate.drop_reasons.take(cut),
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
    rows = run.scores.best[slate.indices].astype(np.intp)
    table = slate_table(run, rows)
    places = range(plan.request.page_start + 1, plan.request.page_start + 1 + len(rows))
    p_shown, p_position = slate.p_shown.tolist(), slate.p_position.tolist()
    schemes = [SCHEMES[scheme] for scheme in slate.schemes.tolist()]
    positions = tuple(
        map(
            SlatePosition,
            table.item_ids.tolist(),
            places,
            slate.pre_swap_ranks.tolist(),
            p_shown,
            p_position,
            schemes,
            repeat(0.0),
            repeat(slate.propensity.rho > 0),
        )
    )
    planned = [report.source for report in found.reports]
    items = tuple(
        map(
            RecommendedItem,
            [run.items.external_ids[row] for row in rows.tolist()],
            places,
            [tuple(compress(planned, ranks)) for ranks in table.source_ranks.tolist()],
            p_shown,
            p_position,
            schemes,
        )
    )
    versions, digests = versions_of(run), dict[str, bytes]()
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
        slate_candidates=table,
        candidates=candidate_table(run) if wants_funnel(run) else None,
        mutations=slate.mutations,
        propensity=slate.propensity,
        degradations=degradations,
        timings_us=tuple((Stage(stage), taken) for stage, taken in run.timings_us.items()),
        input_digests=digests,
    )
    digests.update(input_digests(record))
    answer = Answer(
        decision_id=identity.decision_id,
        versions=versions,
        arm=identity.arm,
        items=items,
        degradations=degradations,
        decided_at_ms=plan.now_ms,
    )
    return record, answer
