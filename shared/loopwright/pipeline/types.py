"""What the stages of the request path hand to each other; columnar, candidates always in one order.

Leaf services and their gRPC clients both speak these types; `convert` carries them over the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from loopwright.domain.enums import DegradationReason, Exploration, MutationKind, Purpose, Source, Stage
from loopwright.domain.vectors import F16 as F16
from loopwright.domain.vectors import F32 as F32
from loopwright.domain.vectors import F64 as F64
from loopwright.domain.vectors import U8 as U8
from loopwright.domain.vectors import U16 as U16
from loopwright.domain.vectors import U32 as U32
from loopwright.domain.vectors import U64 as U64
from loopwright.domain.vectors import CrossContext as CrossContext
from loopwright.domain.vectors import History as History


@dataclass(frozen=True, slots=True)
class Degradation:
    """One departure from the plan: where, what, and which source, group or dependency."""

    stage: Stage
    reason: DegradationReason
    subject: str = ""


@dataclass(frozen=True, slots=True)
class UserQuery:
    """Asks hydration for a user: `now_ms` is mesh time; `groups` in column order."""

    policy_version: str
    subject: bytes
    now_ms: int
    groups: tuple[str, ...]
    read_recent: bool
    request_id: str
    seen_days: float


@dataclass(frozen=True, slots=True)
class UserContext:
    """All the request path knows of the user; columns float16 [U], ages uint32 [G], mask uint8 [G], ids uint64.

    `hydrated` is False when hydration was lost: then everything else is empty and no guard of the user is known.
    """

    columns: F16
    group_ages_s: U32
    group_mask: U8
    history: History
    cross: CrossContext
    acted: U64
    viewed: U64
    blocked_items: U64
    blocked_creators: U64
    recent: U64
    stored_answer: bytes
    degradations: tuple[Degradation, ...]
    hydrated: bool = True


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """What the bundle wants of one source."""

    source: Source
    quota: int
    weight: float
    budget_ms: int


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """Asks retrieval for candidates: `avoid` is a hint to refill past, uint64."""

    policy_version: str
    two_tower_version: str
    now_ms: int
    history: History
    avoid: U64
    anchors: U64
    sources: tuple[SourcePlan, ...]
    max_candidates: int
    fresh_days: float


@dataclass(frozen=True, slots=True)
class SourceReport:
    """How one source fared."""

    source: Source
    count: int
    latency_us: int
    failed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """Merged candidates, best first by fused score, ties by item id: n rows, S planned sources, K signals."""

    item_ids: U64
    fused_scores: F32
    source_ranks: U16
    source_scores: F32
    signals: F32
    signal_names: tuple[str, ...]
    reports: tuple[SourceReport, ...]
    index_epoch: str


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """Asks hydration for the columns of candidates."""

    policy_version: str
    item_ids: U64
    now_ms: int
    groups: tuple[str, ...]
    cross: CrossContext


@dataclass(frozen=True, slots=True)
class ItemColumns:
    """Item and cross columns float16 [n, C] with ages uint32 [n, G], mask uint8 [n, G] and the facts policy needs."""

    columns: F16
    group_ages_s: U32
    group_mask: U8
    creator_ids: U64
    first_tag_ids: U64
    eligibility: U8
    content: F16
    external_ids: Sequence[str]
    degradations: tuple[Degradation, ...]


@dataclass(frozen=True, slots=True)
class ScoreQuery:
    """Everything the rankers read."""

    policy_version: str
    pre_ranker_version: str
    ranker_version: str
    feature_groups: tuple[str, ...]
    item_ids: U64
    user_columns: F16
    item_columns: F16
    signals: F32
    position: int
    best_n: int


@dataclass(frozen=True, slots=True)
class Scores:
    """Pre-rank scores float32 [n]; `best` uint32 [N] indices best first; heads float32 [N, H] of those."""

    pre_scores: F32
    best: U32
    heads: F32
    head_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SlateQuery:
    """Candidates after the cut, in the cut's order: N rows."""

    policy_version: str
    k: int
    seed: int
    exploration: Exploration
    item_ids: U64
    heads: F32
    head_names: tuple[str, ...]
    creator_ids: U64
    first_tag_ids: U64
    eligibility: U8
    guards: U8
    content: F16


@dataclass(frozen=True, slots=True)
class Mutation:
    """One ordered change of the ranked order; ranks and positions start at 1, position 0: not in the slate."""

    kind: MutationKind
    item_id: int
    from_rank: int
    to_position: int


@dataclass(frozen=True, slots=True)
class Propensity:
    """The numbers all propensities of a decision follow from: slice rate, eligible, explore pool, explore position."""

    rho: float
    n: int
    m: int
    s: int


@dataclass(frozen=True, slots=True)
class Slate:
    """Indices uint32 [L] into the query in slate order, with propensities; utility and drops over all N rows."""

    indices: U32
    p_shown: F64
    p_position: F64
    schemes: U8
    pre_swap_ranks: U32
    utility: F64
    drop_reasons: U8
    mutations: tuple[Mutation, ...]
    propensity: Propensity


@dataclass(frozen=True, slots=True)
class Request:
    """A recommend request, parsed; item ids uint64. `raw_*` hold personal data and go to the sealed field only."""

    request_id: str
    subject: bytes
    raw_external_id: str
    raw_query_text: str
    surface: str
    session_id: str
    page_start: int
    k: int
    anchors: U64
    excluded: U64
    locale: str
    client_version: str
    purpose: Purpose
    exploration: Exploration
    decide_at_ms: int | None
    record_funnel: bool
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Versions:
    """Everything that shaped a decision."""

    policy_version: str
    two_tower_version: str = ""
    pre_ranker_version: str = ""
    ranker_version: str = ""
    index_epoch: str = ""
    feature_groups: tuple[str, ...] = field(default=())
