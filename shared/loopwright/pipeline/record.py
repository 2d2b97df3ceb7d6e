"""The record of one decision: all that was observed and what came of it, as the log keeps it.

The front door builds it, `convert.record` carries it to events and back, `explain` and verification read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.enums import Exploration, Purpose, Scheme, Stage
from loopwright.pipeline.types import (
    F16,
    F32,
    F64,
    U8,
    U16,
    U32,
    U64,
    Degradation,
    Mutation,
    Propensity,
    SourceReport,
    Versions,
)


@dataclass(frozen=True, slots=True)
class CandidateTable:
    """Candidates in retrieval order, one array a fact; see `Candidates` in decision.proto for shapes and units."""

    item_ids: U64
    fused_scores: F32
    source_ranks: U16
    source_scores: F32
    signals: F32
    item_columns: F16
    group_ages_s: U32
    group_mask: U8
    pre_scores: F32
    heads: F32
    creator_ids: U64
    first_tag_ids: U64
    eligibility: U8
    guards: U8
    utility: F64
    content: F16
    drop_reasons: U8

    def take(self, rows: NDArray[np.intp] | U32) -> CandidateTable:
        """Return the table of these rows, in their order; arrays that are empty stay empty."""
        taken = {}
        for column in fields(self):
            array = getattr(self, column.name)
            taken[column.name] = array[rows] if len(array) else array
        return CandidateTable(**taken)

    def __len__(self) -> int:
        return len(self.item_ids)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """What was asked for; external id and query text are in `sealed_*` only."""

    request_id: str
    subject: bytes
    session_id: str
    page_start: int
    k: int
    anchors: U64
    excluded: U64
    locale: str
    client_version: str
    purpose: Purpose
    exploration: Exploration
    request_hash: bytes
    sealed_external_id: str
    sealed_query_text: str


class SlatePosition(NamedTuple):
    """One position of a slate; `position` is absolute in the session."""

    item_id: int
    position: int
    pre_swap_rank: int
    p_shown: float
    p_position: float
    scheme: Scheme
    propensity_error: float
    support: bool


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision. `candidates` is the whole funnel, or None when only the slate was logged."""

    decision_id: bytes
    surface: str
    occurred_at_ms: int
    wall_ms: int
    request: RequestRecord
    versions: Versions
    seed: int
    arm: str
    sources: tuple[SourceReport, ...]
    signal_names: tuple[str, ...]
    head_names: tuple[str, ...]
    user_groups: tuple[str, ...]
    item_groups: tuple[str, ...]
    user_columns: F16
    user_group_ages_s: U32
    user_group_mask: U8
    scored_position: int
    best_n: int
    slate: tuple[SlatePosition, ...]
    slate_candidates: CandidateTable
    candidates: CandidateTable | None
    mutations: tuple[Mutation, ...]
    propensity: Propensity
    degradations: tuple[Degradation, ...]
    timings_us: tuple[tuple[Stage, int], ...]
    input_digests: Mapping[str, bytes] = field(default_factory=dict)


_REQUEST = attrgetter(*(f.name for f in fields(RequestRecord)))
_VERSIONS = attrgetter(*(f.name for f in fields(Versions)))
_OBSERVED = {
    "candidates": attrgetter("item_ids", "fused_scores", "source_ranks", "source_scores", "signals"),
    "item_features": attrgetter("item_columns", "group_ages_s", "group_mask"),
    "facts": attrgetter("creator_ids", "first_tag_ids", "eligibility", "guards", "content"),
}


def input_digests(record: DecisionRecord) -> dict[str, bytes]:
    """Return a 16-byte BLAKE2b digest of each part of the record that nothing else in it determines.

    What is derived (scores, cut, mutations, slate, propensities) is re-derived by verification; what was observed or
    drawn can only be held to what was written when it was made.
    """
    table = record.candidates if record.candidates is not None else record.slate_candidates
    place = (record.decision_id, record.surface, record.occurred_at_ms, record.arm)
    groups = (record.user_groups, record.item_groups, record.signal_names, record.head_names)
    digests = {
        "request": _digest(*place, *_REQUEST(record.request), record.scored_position, record.best_n),
        "seed": _digest(record.seed),
        "versions": _digest(*_VERSIONS(record.versions)),
        "user_features": _digest(*groups, record.user_columns, record.user_group_ages_s, record.user_group_mask),
    }
    for name, columns in _OBSERVED.items():
        digests[name] = _digest(*columns(table))
    return digests


def _digest(*parts: object) -> bytes:
    hashed: list[bytes] = []
    for part in parts:
        if isinstance(part, np.ndarray):
            hashed += (repr((part.dtype.str, part.shape)).encode(), part.tobytes(), b"\x00")
        else:
            hashed += (repr(part).encode(), b"\x00")
    return hashlib.blake2b(b"".join(hashed), digest_size=16).digest()
