"""Proves a recorded decision link by link: inputs to scores, then scores and seed to slate and propensities.

`loopwright explain --verify` calls it with a record read from the log, the model store and the folded policies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from loopwright.bundle import Interval, PolicyBundle, policy_version
from loopwright.domain.enums import DegradationReason, DropReason
from loopwright.faults import Fault
from loopwright.modelstore import ModelStore
from loopwright.modelstore.models import MultiTaskRanker, PreRanker, open_pre_ranker, open_ranker
from loopwright.pipeline.plan import RETRIEVAL_HEAD
from loopwright.pipeline.record import CandidateTable, DecisionRecord, input_digests
from loopwright.pipeline.runner import scattered
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
    """One link of the proof: its name, whether it holds, and what was found."""

    name: str
    holds: bool
    detail: str = ""


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
    ) -> None:
        """Take the model store, the published bundles by version, and the activation intervals by surface."""
        self._store = store
        self._bundles = bundles
        self._intervals = intervals
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
        if record.candidates is None:
            yield from self._slate_links(record, bundle)
        else:
            yield from self._full_links(record, bundle, record.candidates)

    def _policy_link(self, record: DecisionRecord, bundle: PolicyBundle | None) -> Link:
        version = record.versions.policy_version
        if bundle is None or policy_version(bundle) != version:
            return Link("policy", False, f"no published bundle has version {version[:12]}")
        if record.request.purpose.name == "EVALUATE":
            return Link("policy", True)
        fallback = any(d.reason is DegradationReason.PREVIOUS_POLICY for d in record.degradations)
        active = any(
            i.version == version
            and i.from_ms <= record.occurred_at_ms
            and (i.until_ms is None or record.occurred_at_ms < i.until_ms + ACTIVATION_SLACK_MS)
            for i in self._intervals(record.surface)
        )
        return Link("policy", active or fallback, "the version was not active at that time")

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
        heads = ranker.score(user, table.item_columns, table.signals, float(record.scored_position))
        yield _close("heads", scattered(best, heads[best], len(table)), table.heads, FULL_TOLERANCE)

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
