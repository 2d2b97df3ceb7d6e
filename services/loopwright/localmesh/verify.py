"""Proves a recorded decision link by link: inputs to scores, then scores and seed to slate and propensities.

Of a decision with only its slate on record it proves what `verify_slate` can: less, and its docstring says what not.
`loopwright explain --verify` calls it with a record read from the log, the model store and the folded policies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from loopwright.bundle import FallbackOrder, Interval, PolicyBundle, policy_version
from loopwright.domain.enums import DegradationReason, DropReason, Scheme, Stage
from loopwright.faults import Fault
from loopwright.localmesh.links import Link as Link
from loopwright.localmesh.links import close, equal, same
from loopwright.localmesh.verify_slate import short_slate_link, slate_only_links, slate_query
from loopwright.modelstore import ModelStore
from loopwright.modelstore.models import MultiTaskRanker, PreRanker, open_pre_ranker, open_ranker
from loopwright.pipeline.cut import best_rows
from loopwright.pipeline.fallback import NOTHING_DRAWN, first_eligible
from loopwright.pipeline.plan import RETRIEVAL_HEAD
from loopwright.pipeline.record import CandidateTable, DecisionRecord, input_digests
from loopwright.pipeline.run import scattered
from loopwright.policy.slate import decide

FULL_TOLERANCE = 1e-6
"""Largest difference of a re-derived score over the whole recorded batch, times max(1, |x|)."""

SLATE_TOLERANCE = 1e-5
"""The same when only the slate's rows are on record: another batch, other rounding."""

ACTIVATION_SLACK_MS = 1000
"""How long after an activation a request may still run under the version before it: the feed's maximum age."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The links in order; a decision is proven when all hold."""

    decision_id: bytes
    full: bool
    links: tuple[Link, ...]

    @property
    def holds(self) -> bool:
        """True when every link holds."""
        return all(link.holds for link in self.links)

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the links that do not hold."""
        return tuple(link.name for link in self.links if not link.holds)


class Verifier:
    """Holds the verified models and the folded policies; opens each model once."""

    def __init__(
        self,
        store: ModelStore,
        bundles: Callable[[str], PolicyBundle | None],
        intervals: Callable[[str], tuple[Interval, ...]],
        orders: Mapping[str, FallbackOrder] | None = None,
    ) -> None:
        """Take what decisions are held to.

        Args:
            store: The models.
            bundles: Published bundles by version.
            intervals: Who was active when, by surface.
            orders: The fallback orders that are still on the log, by the hex digits of their ids.
        """
        self._store = store
        self._bundles = bundles
        self._intervals = intervals
        self._orders = orders or {}
        self._pre_rankers: dict[str, PreRanker] = {}
        self._rankers: dict[str, MultiTaskRanker] = {}

    def verify(self, record: DecisionRecord) -> Proof:
        """Return the proof of a record; a missing model or bundle is a broken link, never an error."""
        return Proof(record.decision_id, record.candidates is not None, tuple(self._links(record)))

    def _links(self, record: DecisionRecord) -> Iterator[Link]:
        now = input_digests(record)
        for name, digest in now.items():
            yield Link(name, record.input_digests.get(name) == digest, "differs from what was recorded")
        bundle = self._bundles(record.versions.policy_version)
        yield self._policy_link(record, bundle)
        if bundle is None:
            return
        yield Link("pins", _pins_agree(record, bundle), "models or feature groups are not those the bundle pins")
        yield _heads_link(record, bundle)
        scored_at = bundle.ranking.position if bundle.models.ranker else 0
        yield equal("scored_position", scored_at, record.scored_position)
        yield _positions_link(record)
        if _stood_in(record, Stage.DECIDE) or _stood_in(record, Stage.RETRIEVE):
            yield self._order_link(record)
        if _stood_in(record, Stage.DECIDE):
            yield from _fallback_links(record)
        elif record.candidates is None:
            yield from self._slate_score_links(record)
            yield from slate_only_links(record, bundle)
        else:
            yield from self._full_links(record, bundle, record.candidates)

    def _policy_link(self, record: DecisionRecord, bundle: PolicyBundle | None) -> Link:
        version = record.versions.policy_version
        if bundle is None or policy_version(bundle) != version:
            return Link("policy", False, f"no published bundle has version {version[:12]}")
        if record.request.purpose.name == "EVALUATE":
            return Link("policy", True)
        return Link(
            "policy", _was_in_force(record, self._intervals(record.surface)), "the version was not active at that time"
        )

    def _order_link(self, record: DecisionRecord) -> Link:
        """Hold the recorded rows to the order they were taken from; compaction may have removed it."""
        order = self._orders.get(record.versions.index_epoch)
        if order is None:
            return Link("order", True, "the fallback order is no longer on the log", skipped=True)
        table = record.slate_candidates if record.candidates is None else record.candidates
        places = {int(item): place for place, item in enumerate(order.item_ids)}
        rows = np.array([places.get(int(item), -1) for item in table.item_ids], dtype=np.int64)
        held = bool((rows >= 0).all()) and same(table.source_ranks, (rows + 1).astype(np.uint16))
        if _stood_in(record, Stage.DECIDE):  # nobody else has said anything of these items
            held = held and bool((np.diff(rows) > 0).all())
            held = held and same(table.creator_ids, order.creator_ids[rows])
            held = held and same(table.first_tag_ids, order.first_tag_ids[rows])
            held = held and (record.candidates is None or len(rows) == len(order))
        return Link("order", held, "the recorded rows are not those of the fallback order")

    def _full_links(self, record: DecisionRecord, bundle: PolicyBundle, table: CandidateTable) -> Iterator[Link]:
        if record.head_names == (RETRIEVAL_HEAD,):
            best = np.arange(min(record.best_n, len(table)), dtype=np.uint32)
            heads = table.fused_scores[best].reshape(-1, 1)
        else:
            best = best_rows(table.pre_scores, table.item_ids, record.best_n)
            heads = table.heads[best]
            yield from self._score_links(record, table, best)
        cut = np.ones(len(table), dtype=bool)
        cut[best] = False
        recorded_cut = table.drop_reasons == DropReason.CUT
        yield Link("cut", bool((cut == recorded_cut).all()), "the recorded pre-rank scores cut other candidates")
        yield from _slate_links(record, bundle, table, best, heads)

    def _score_links(self, record: DecisionRecord, table: CandidateTable, best: NDArray[np.uint32]) -> Iterator[Link]:
        versions, user = record.versions, record.user_columns
        try:
            pre_ranker = self._pre_ranker(versions.pre_ranker_version)
            ranker = self._ranker(versions.ranker_version)
        except Fault as fault:
            yield Link("models", False, f"{fault.reason}: {fault}")
            return
        yield equal("head_names", ranker.heads, record.head_names)
        pre = pre_ranker.score(user, table.item_columns, table.signals)
        yield close("pre_scores", pre, table.pre_scores, FULL_TOLERANCE)
        heads = ranker.score(user, table.item_columns[best], table.signals[best], float(record.scored_position))
        yield close("heads", scattered(best, heads, len(table)), table.heads, FULL_TOLERANCE)

    def _slate_score_links(self, record: DecisionRecord) -> Iterator[Link]:
        rows, versions = record.slate_candidates, record.versions
        if record.head_names == (RETRIEVAL_HEAD,) or not len(rows):
            return
        try:
            pre_ranker = self._pre_ranker(versions.pre_ranker_version)
            ranker = self._ranker(versions.ranker_version)
        except Fault as fault:
            yield Link("models", False, f"{fault.reason}: {fault}")
            return
        yield equal("head_names", ranker.heads, record.head_names)
        pre = pre_ranker.score(record.user_columns, rows.item_columns, rows.signals)
        yield close("pre_scores", pre, rows.pre_scores, SLATE_TOLERANCE)
        heads = ranker.score(record.user_columns, rows.item_columns, rows.signals, float(record.scored_position))
        yield close("heads", heads, rows.heads, SLATE_TOLERANCE)

    def _pre_ranker(self, version: str) -> PreRanker:
        if version not in self._pre_rankers:
            self._pre_rankers[version] = open_pre_ranker(self._store, version)
        return self._pre_rankers[version]

    def _ranker(self, version: str) -> MultiTaskRanker:
        if version not in self._rankers:
            self._rankers[version] = open_ranker(self._store, version)
        return self._rankers[version]


def _slate_links(
    record: DecisionRecord,
    bundle: PolicyBundle,
    table: CandidateTable,
    best: NDArray[np.uint32],
    heads: NDArray[np.float32],
) -> Iterator[Link]:
    rows = table.take(best)
    query = slate_query(record, rows, heads)
    try:
        slate = decide(bundle, query)
    except Fault as fault:
        yield Link("slate", False, f"the recorded candidates allow no slate: {fault}")
        return
    recorded = record.slate
    ids = [int(i) for i in rows.item_ids[slate.indices]]
    utility = scattered(best, slate.utility, len(table))
    yield equal("utility", utility.tolist(), table.utility.tolist())
    yield equal("slate", ids, [p.item_id for p in recorded])
    yield equal("scheme", [int(s) for s in slate.schemes], [int(p.scheme) for p in recorded])
    yield equal("p_shown", slate.p_shown.tolist(), [p.p_shown for p in recorded])
    yield equal("p_position", slate.p_position.tolist(), [p.p_position for p in recorded])
    yield equal("pre_swap_rank", slate.pre_swap_ranks.tolist(), [p.pre_swap_rank for p in recorded])
    yield equal("propensity", slate.propensity, record.propensity)
    support = [(slate.propensity.rho > 0, 0.0)] * len(ids)
    yield equal("support", support, [(p.support, p.propensity_error) for p in recorded])
    yield equal("mutations", slate.mutations, record.mutations)
    yield equal("drop_reasons", slate.drop_reasons.tolist(), rows.drop_reasons.tolist())
    by_id = {int(item): row for row, item in enumerate(table.item_ids)}
    own = table.take(np.array([by_id.get(p.item_id, 0) for p in recorded], dtype=np.intp))
    agree = all(same(getattr(own, f.name), getattr(record.slate_candidates, f.name)) for f in fields(own))
    yield Link("slate_candidates", agree, "the slate's rows differ from the funnel's")


def _was_in_force(record: DecisionRecord, spans: Sequence[Interval]) -> bool:
    """Say whether the decision's version was active, or is excused by a note as the one before the active one."""
    said = {d.reason: d.subject for d in record.degradations}
    behind = DegradationReason.STALE_POLICY_FEED in said
    active = [
        place
        for place, span in enumerate(spans)
        if span.from_ms <= record.occurred_at_ms
        and (behind or span.until_ms is None or record.occurred_at_ms < span.until_ms + ACTIVATION_SLACK_MS)
    ]
    version, left_out = record.versions.policy_version, said.get(DegradationReason.PREVIOUS_POLICY)
    if left_out is None:
        return any(spans[place].version == version for place in active)
    return any(
        spans[place].version.startswith(left_out) and version in _versions_before(spans, place) for place in active
    )


def _versions_before(spans: Sequence[Interval], place: int) -> set[str]:
    """Return what may have counted as the version before an interval's, which a request falls back to.

    It stood directly before the interval; where a rollback began the interval, before an earlier one of its version.
    """
    version = spans[place].version
    return {
        before.version for before, span in pairwise(spans[: place + 1]) if span.version == version != before.version
    }


def _heads_link(record: DecisionRecord, bundle: PolicyBundle) -> Link:
    """Hold who scored to who should have: the ranker when one is pinned, has candidates and was not lost."""
    detail = "heads of another scorer than the bundle and the degradations leave"
    if _stood_in(record, Stage.DECIDE):
        return Link("scorer", record.head_names == (), detail)
    unscored = record.head_names == (RETRIEVAL_HEAD,)
    lost = any(d.stage is Stage.RANK for d in record.degradations)
    tables = [table for table in (record.candidates, record.slate_candidates) if table is not None]
    if unscored and any(table.heads.size or table.pre_scores.size for table in tables):
        return Link("scorer", False, detail)
    if bundle.models.ranker and not lost and not len(tables[0]):
        # of an empty slate alone nobody knows whether it had candidates
        return Link("scorer", unscored or record.candidates is None, detail)
    return Link("scorer", unscored == (lost or not bundle.models.ranker), detail)


def _stood_in(record: DecisionRecord, stage: Stage) -> bool:
    return any(d.stage is stage and d.reason is DegradationReason.FALLBACK for d in record.degradations)


def _fallback_links(record: DecisionRecord) -> Iterator[Link]:
    """A slate that is the first k of the order that nothing barred: everything else about it follows from that."""
    rows, recorded, count = record.slate_candidates, record.slate, len(record.slate)
    yield equal("slate_candidates", rows.item_ids.tolist(), [p.item_id for p in recorded])
    yield equal("scheme", [int(Scheme.NONE)] * count, [int(p.scheme) for p in recorded])
    yield equal("p_shown", [1.0] * count, [p.p_shown for p in recorded])
    yield equal("p_position", [1.0] * count, [p.p_position for p in recorded])
    yield equal("pre_swap_rank", list(range(1, count + 1)), [p.pre_swap_rank for p in recorded])
    yield equal("propensity", NOTHING_DRAWN, record.propensity)
    yield equal("support", [(False, 0.0)] * count, [(p.support, p.propensity_error) for p in recorded])
    yield equal("mutations", (), record.mutations)
    table = record.candidates
    if table is None:
        yield short_slate_link(record)
        slate = first_eligible(rows.eligibility, rows.guards, record.request.k)
        yield equal("slate", slate.indices.tolist(), list(range(count)))
        return
    slate = first_eligible(table.eligibility, table.guards, record.request.k)
    yield equal("slate", table.item_ids[slate.indices].tolist(), [p.item_id for p in recorded])
    yield equal("utility", slate.utility.tolist(), table.utility.tolist())
    yield equal("drop_reasons", slate.drop_reasons.tolist(), table.drop_reasons.tolist())
    own = table.take(slate.indices)
    agree = all(same(getattr(own, f.name), getattr(rows, f.name)) for f in fields(own))
    yield Link("slate_rows", agree, "the slate's rows differ from the funnel's")


def _positions_link(record: DecisionRecord) -> Link:
    want = [record.request.page_start + place + 1 for place in range(len(record.slate))]
    return equal("position", want, [p.position for p in record.slate])


def _pins_agree(record: DecisionRecord, bundle: PolicyBundle) -> bool:
    versions, models = record.versions, bundle.models
    return (
        versions.two_tower_version == models.two_tower
        and versions.pre_ranker_version == models.pre_ranker
        and versions.ranker_version == models.ranker
        and record.user_groups == tuple(bundle.features.user)
        and record.item_groups == tuple(bundle.features.item)
        and record.best_n == bundle.ranking.best_n
    )
