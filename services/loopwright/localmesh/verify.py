"""Proves a recorded decision link by link: inputs to scores, then scores and seed to slate and propensities.

`loopwright explain --verify` calls it with a record read from the log, the model store and the folded policies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from loopwright.bundle import FallbackOrder, Interval, PolicyBundle, policy_version
from loopwright.domain.enums import DegradationReason, DropReason, Scheme, Stage
from loopwright.faults import Fault
from loopwright.modelstore import ModelStore
from loopwright.modelstore.models import MultiTaskRanker, PreRanker, open_pre_ranker, open_ranker
from loopwright.pipeline.fallback import NOTHING_DRAWN, first_eligible
from loopwright.pipeline.plan import RETRIEVAL_HEAD
from loopwright.pipeline.record import CandidateTable, DecisionRecord, input_digests
from loopwright.pipeline.run import scattered
from loopwright.pipeline.types import SlateQuery
from loopwright.policy.slate import decide
from loopwright.ranking.ranker import best_rows

FULL_TOLERANCE = 1e-6
"""Largest difference of a re-derived score over the whole recorded batch, times max(1, |x|)."""

SLATE_TOLERANCE = 1e-5
"""The same when only the slate's rows are on record: another batch, other rounding."""

ACTIVATION_SLACK_MS = 1000
"""How long after an activation a request may still run under the version before it: the feed's maximum age."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the proof: its name, whether it holds, and what was found.

    A skipped link could not be looked at, for a reason that is no fault of the record; it counts as holding.
    """

    name: str
    holds: bool
    detail: str = ""
    skipped: bool = False


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
        yield _positions_link(record)
        if _stood_in(record, Stage.DECIDE) or _stood_in(record, Stage.RETRIEVE):
            yield self._order_link(record)
        if _stood_in(record, Stage.DECIDE):
            yield from _fallback_links(record)
        elif record.candidates is None:
            yield from self._slate_links(record, bundle)
        else:
            yield from self._full_links(record, bundle, record.candidates)

    def _policy_link(self, record: DecisionRecord, bundle: PolicyBundle | None) -> Link:
        version = record.versions.policy_version
        if bundle is None or policy_version(bundle) != version:
            return Link("policy", False, f"no published bundle has version {version[:12]}")
        if record.request.purpose.name == "EVALUATE":
            return Link("policy", True)
        said = {d.reason for d in record.degradations}
        behind = DegradationReason.STALE_POLICY_FEED in said
        active = any(
            i.version == version
            and i.from_ms <= record.occurred_at_ms
            and (behind or i.until_ms is None or record.occurred_at_ms < i.until_ms + ACTIVATION_SLACK_MS)
            for i in self._intervals(record.surface)
        )
        previous = DegradationReason.PREVIOUS_POLICY in said
        return Link("policy", active or previous, "the version was not active at that time")

    def _order_link(self, record: DecisionRecord) -> Link:
        """Hold the recorded rows to the order they were taken from; compaction may have removed it."""
        order = self._orders.get(record.versions.index_epoch)
        if order is None:
            return Link("order", True, "the fallback order is no longer on the log", skipped=True)
        table = record.slate_candidates if record.candidates is None else record.candidates
        places = {int(item): place for place, item in enumerate(order.item_ids)}
        rows = np.array([places.get(int(item), -1) for item in table.item_ids], dtype=np.int64)
        held = bool((rows >= 0).all()) and _same(table.source_ranks, (rows + 1).astype(np.uint16))
        if _stood_in(record, Stage.DECIDE):  # nobody else has said anything of these items
            held = held and bool((np.diff(rows) > 0).all())
            held = held and _same(table.creator_ids, order.creator_ids[rows])
            held = held and _same(table.first_tag_ids, order.first_tag_ids[rows])
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
        pre = pre_ranker.score(user, table.item_columns, table.signals)
        yield _close("pre_scores", pre, table.pre_scores, FULL_TOLERANCE)
        heads = ranker.score(user, table.item_columns[best], table.signals[best], float(record.scored_position))
        yield _close("heads", scattered(best, heads, len(table)), table.heads, FULL_TOLERANCE)

    def _slate_links(self, record: DecisionRecord, bundle: PolicyBundle) -> Iterator[Link]:
        rows = record.slate_candidates
        if record.head_names == (RETRIEVAL_HEAD,) or not len(rows):
            return
        try:
            ranker = self._ranker(record.versions.ranker_version)
        except Fault as fault:
            yield Link("models", False, f"{fault.reason}: {fault}")
            return
        heads = ranker.score(record.user_columns, rows.item_columns, rows.signals, float(record.scored_position))
        yield _close("heads", heads, rows.heads, SLATE_TOLERANCE)

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
    query = SlateQuery(
        policy_version=record.versions.policy_version,
        k=record.request.k,
        seed=record.seed,
        exploration=record.request.exploration,
        item_ids=rows.item_ids,
        heads=heads,
        head_names=record.head_names,
        creator_ids=rows.creator_ids,
        first_tag_ids=rows.first_tag_ids,
        eligibility=rows.eligibility,
        guards=rows.guards,
        content=rows.content,
    )
    try:
        slate = decide(bundle, query)
    except Fault as fault:
        yield Link("slate", False, f"the recorded candidates allow no slate: {fault}")
        return
    recorded = record.slate
    ids = [int(i) for i in rows.item_ids[slate.indices]]
    utility = scattered(best, slate.utility, len(table))
    yield _equal("utility", utility.tolist(), table.utility.tolist())
    yield _equal("slate", ids, [p.item_id for p in recorded])
    yield _equal("scheme", [int(s) for s in slate.schemes], [int(p.scheme) for p in recorded])
    yield _equal("p_shown", slate.p_shown.tolist(), [p.p_shown for p in recorded])
    yield _equal("p_position", slate.p_position.tolist(), [p.p_position for p in recorded])
    yield _equal("pre_swap_rank", slate.pre_swap_ranks.tolist(), [p.pre_swap_rank for p in recorded])
    yield _equal("propensity", slate.propensity, record.propensity)
    support = [(slate.propensity.rho > 0, 0.0)] * len(ids)
    yield _equal("support", support, [(p.support, p.propensity_error) for p in recorded])
    yield _equal("mutations", slate.mutations, record.mutations)
    yield _equal("drop_reasons", slate.drop_reasons.tolist(), rows.drop_reasons.tolist())
    by_id = {int(item): row for row, item in enumerate(table.item_ids)}
    own = table.take(np.array([by_id.get(p.item_id, 0) for p in recorded], dtype=np.intp))
    same = all(_same(getattr(own, f.name), getattr(record.slate_candidates, f.name)) for f in fields(own))
    yield Link("slate_candidates", same, "the slate's rows differ from the funnel's")


def _stood_in(record: DecisionRecord, stage: Stage) -> bool:
    return any(d.stage is stage and d.reason is DegradationReason.FALLBACK for d in record.degradations)


def _fallback_links(record: DecisionRecord) -> Iterator[Link]:
    """A slate that is the first k of the order that nothing barred: everything else about it follows from that."""
    rows, recorded, count = record.slate_candidates, record.slate, len(record.slate)
    yield _equal("slate_candidates", rows.item_ids.tolist(), [p.item_id for p in recorded])
    yield _equal("scheme", [int(Scheme.NONE)] * count, [int(p.scheme) for p in recorded])
    yield _equal("p_shown", [1.0] * count, [p.p_shown for p in recorded])
    yield _equal("p_position", [1.0] * count, [p.p_position for p in recorded])
    yield _equal("pre_swap_rank", list(range(1, count + 1)), [p.pre_swap_rank for p in recorded])
    yield _equal("propensity", NOTHING_DRAWN, record.propensity)
    yield _equal("support", [(False, 0.0)] * count, [(p.support, p.propensity_error) for p in recorded])
    yield _equal("mutations", (), record.mutations)
    table = record.candidates
    if table is None:
        slate = first_eligible(rows.eligibility, rows.guards, record.request.k)
        yield _equal("slate", slate.indices.tolist(), list(range(count)))
        return
    slate = first_eligible(table.eligibility, table.guards, record.request.k)
    yield _equal("slate", table.item_ids[slate.indices].tolist(), [p.item_id for p in recorded])
    yield _equal("utility", slate.utility.tolist(), table.utility.tolist())
    yield _equal("drop_reasons", slate.drop_reasons.tolist(), table.drop_reasons.tolist())
    own = table.take(slate.indices)
    same = all(_same(getattr(own, f.name), getattr(rows, f.name)) for f in fields(own))
    yield Link("slate_rows", same, "the slate's rows differ from the funnel's")


def _positions_link(record: DecisionRecord) -> Link:
    want = [record.request.page_start + place + 1 for place in range(len(record.slate))]
    return _equal("position", want, [p.position for p in record.slate])


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


def _same(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    return one.size == other.size and bool((one.ravel() == other.ravel()).all())


def _equal(name: str, derived: object, recorded: object) -> Link:
    return Link(name, derived == recorded, "" if derived == recorded else "re-derived otherwise than recorded")


def _close(name: str, derived: NDArray[np.float32], recorded: NDArray[np.float32], tolerance: float) -> Link:
    if derived.shape != recorded.shape:
        return Link(name, False, f"{derived.shape} re-derived, {recorded.shape} recorded")
    if not derived.size:
        return Link(name, True)
    error = np.abs(derived.astype(np.float64) - recorded) / np.maximum(1.0, np.abs(recorded))
    worst = float(error.max())
    return Link(name, worst <= tolerance, f"largest difference {worst:.2e}")
