"""A bundle's numbers turned into the queries of one request; the front door and verification share it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.bundle import FallbackOrder, PolicyBundle
from loopwright.domain.enums import Exploration, Purpose, Stage
from loopwright.domain.guards import guard_bits
from loopwright.faults import NotReady
from loopwright.pipeline.types import (
    U8,
    U64,
    CandidateSet,
    ItemColumns,
    ItemQuery,
    Request,
    RetrievalQuery,
    ScoreQuery,
    Scores,
    SlateQuery,
    SourcePlan,
    UserContext,
    UserQuery,
)

RETRIEVAL_HEAD = "retrieval"
"""Name of the single head that stands in when no ranker scores: the fused retrieval score."""

LONGEST_BUDGET_MS = 60_000
"""Most time a source may be granted; the same bound stands in retrieval_service.proto."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One request under one bundle: every query of the request path is derived here.

    `fallback` is what stands in when a stage is lost; None: nothing does.
    """

    policy_version: str
    bundle: PolicyBundle
    request: Request
    now_ms: int
    seed: int
    budget_scale: float
    fallback: FallbackOrder | None = None

    @property
    def serving(self) -> bool:
        """True when a person will see the slate."""
        return self.request.purpose is Purpose.SERVE

    @property
    def exploration(self) -> Exploration:
        """BUNDLE when randomisation may be drawn; judging never draws."""
        if self.request.purpose is Purpose.EVALUATE:
            return Exploration.OFF
        return self.request.exploration

    @property
    def ranked(self) -> bool:
        """True when the bundle pins rankers."""
        return bool(self.bundle.models.ranker)

    def stage_budget_s(self, stage: Stage) -> float:
        """Return the seconds a stage may take: the bundle's number, stretched when the caller grants more."""
        budget_ms: int = getattr(self.bundle.deadlines_ms, stage.name.lower())
        return budget_ms / 1000 * self.budget_scale

    def last_resort(self) -> FallbackOrder:
        """Return what stands in for a lost stage.

        Raises:
            NotReady: Nothing does.
        """
        if self.fallback is None:
            raise NotReady(f"no fallback order of surface {self.request.surface!r} is known here yet")
        return self.fallback

    def user_query(self) -> UserQuery:
        """Return the query for the user's row."""
        return UserQuery(
            policy_version=self.policy_version,
            subject=self.request.subject,
            now_ms=self.now_ms,
            groups=tuple(self.bundle.features.user),
            read_recent=self.request.purpose is not Purpose.EVALUATE,
            request_id="" if self.request.purpose is Purpose.EVALUATE else self.request.request_id,
            seen_days=self.bundle.constraints.seen_days,
        )

    def seen(self, user: UserContext) -> U64:
        """Return the ids that count as seen, some twice: acted on ever, and unless judging, confirmed viewed lately."""
        if self.request.purpose is Purpose.EVALUATE:
            return user.acted
        return np.concatenate((user.acted, user.viewed))

    def guards(self, user: UserContext, item_ids: U64, creator_ids: U64) -> U8:
        """Return uint8 [n]: why each item must not be shown to this user now, as far as the user is known."""
        return guard_bits(
            item_ids,
            creator_ids,
            seen=self.seen(user),
            recent=user.recent,
            blocked_items=user.blocked_items,
            blocked_creators=user.blocked_creators,
            excluded=self.request.excluded,
        )

    def retrieval_query(self, user: UserContext) -> RetrievalQuery:
        """Return the query for candidates; guards are only a hint to refill past."""
        sources = tuple(
            SourcePlan(
                row.source,
                row.quota,
                row.weight,
                min(LONGEST_BUDGET_MS, max(1, round(row.budget_ms * self.budget_scale))),
            )
            for row in self.bundle.retrieval.plans()
        )
        avoid = [self.seen(user), user.recent, user.blocked_items, self.request.excluded]
        return RetrievalQuery(
            policy_version=self.policy_version,
            two_tower_version=self.bundle.models.two_tower,
            now_ms=self.now_ms,
            history=user.history,
            avoid=np.unique(np.concatenate(avoid)),
            anchors=self.request.anchors,
            sources=sources,
            max_candidates=self.bundle.retrieval.max_candidates,
            fresh_days=self.bundle.retrieval.fresh_days,
        )

    def item_query(self, user: UserContext, found: CandidateSet) -> ItemQuery:
        """Return the query for the candidates' columns."""
        return ItemQuery(
            policy_version=self.policy_version,
            item_ids=found.item_ids,
            now_ms=self.now_ms,
            groups=tuple(self.bundle.features.item),
            cross=user.cross,
        )

    def score_query(self, user: UserContext, found: CandidateSet, items: ItemColumns) -> ScoreQuery:
        """Return the query for scores."""
        return ScoreQuery(
            policy_version=self.policy_version,
            pre_ranker_version=self.bundle.models.pre_ranker,
            ranker_version=self.bundle.models.ranker,
            feature_groups=self.feature_groups,
            item_ids=found.item_ids,
            user_columns=user.columns,
            item_columns=items.columns,
            signals=found.signals,
            position=self.bundle.ranking.position,
            best_n=self.bundle.ranking.best_n,
        )

    @property
    def feature_groups(self) -> tuple[str, ...]:
        """User groups, then item and cross groups, in column order."""
        return (*self.bundle.features.user, *self.bundle.features.item)

    def retrieval_scores(self, found: CandidateSet) -> Scores:
        """Return what stands in for the ranking stage: retrieval order under the single head `retrieval`."""
        best = np.arange(min(self.bundle.ranking.best_n, len(found.item_ids)), dtype=np.uint32)
        return Scores(
            pre_scores=np.empty(0, dtype=np.float32),
            best=best,
            heads=found.fused_scores[best].reshape(-1, 1),
            head_names=(RETRIEVAL_HEAD,),
        )

    def slate_query(self, found: CandidateSet, items: ItemColumns, scores: Scores, guards: U8) -> SlateQuery:
        """Return the query for the slate: the candidates that the cut kept."""
        best = scores.best
        return SlateQuery(
            policy_version=self.policy_version,
            k=self.request.k,
            seed=self.seed,
            exploration=self.exploration,
            item_ids=found.item_ids[best],
            heads=scores.heads,
            head_names=scores.head_names,
            creator_ids=items.creator_ids[best],
            first_tag_ids=items.first_tag_ids[best],
            eligibility=items.eligibility[best],
            guards=guards[best],
            content=items.content[best],
        )
