"""The record of a decision to and from its events: `SlateDecided` and `Funnel`."""

from __future__ import annotations

from typing import Any

import numpy as np

from loopwright.api.events.v1 import decision_pb2 as pb
from loopwright.api.events.v1.sealed_pb2 import Sealed, SealedContext
from loopwright.domain.enums import Exploration, Purpose, Scheme, Source, Stage
from loopwright.faults import CorruptRecord
from loopwright.pipeline.convert.degradations import degradations_from_proto, degradations_to_proto
from loopwright.pipeline.convert.parsing import milliseconds, number, parse_enum, timestamp
from loopwright.pipeline.convert.slate import (
    mutation_from_proto,
    mutation_to_proto,
    propensity_from_proto,
    propensity_to_proto,
)
from loopwright.pipeline.convert.tensors import from_tensor, to_tensor
from loopwright.pipeline.record import CandidateTable, DecisionRecord, RequestRecord, SlatePosition
from loopwright.pipeline.types import SourceReport, Versions

_TABLE: dict[str, tuple[Any, int]] = {
    "item_ids": (np.uint64, 1),
    "fused_scores": (np.float32, 1),
    "source_ranks": (np.uint16, 2),
    "source_scores": (np.float32, 2),
    "signals": (np.float32, 2),
    "item_columns": (np.float16, 2),
    "group_ages_s": (np.uint32, 2),
    "group_mask": (np.uint8, 2),
    "pre_scores": (np.float32, 1),
    "heads": (np.float32, 2),
    "creator_ids": (np.uint64, 1),
    "first_tag_ids": (np.uint64, 1),
    "eligibility": (np.uint8, 1),
    "guards": (np.uint8, 1),
    "utility": (np.float64, 1),
    "content": (np.float16, 2),
    "drop_reasons": (np.uint8, 1),
}


def table_to_proto(table: CandidateTable) -> pb.Candidates:
    """Return a candidate table as a message."""
    return pb.Candidates(**{name: to_tensor(getattr(table, name)) for name in _TABLE})


def table_from_proto(message: pb.Candidates) -> CandidateTable:
    """Return the message as a candidate table.

    Raises:
        InvalidRequest: A tensor is malformed.
    """
    arrays: dict[str, Any] = {
        name: from_tensor(getattr(message, name), name, dtype, (None,) * axes) for name, (dtype, axes) in _TABLE.items()
    }
    return CandidateTable(**arrays)


def record_to_proto(record: DecisionRecord) -> tuple[pb.SlateDecided, pb.Funnel | None]:
    """Return the record's event payload and, when the whole funnel is on record, the funnel."""
    table = record.candidates
    funnel = None if table is None else pb.Funnel(candidates=table_to_proto(table))
    # As dictionaries: a message each would be made only to be copied into the record.
    sources: list[Any] = [
        {"source": s.source, "count": s.count, "latency_us": s.latency_us, "failed": s.failed, "reason": s.reason}
        for s in record.sources
    ]
    slate: list[Any] = [place._asdict() for place in record.slate]
    timings: list[Any] = [{"stage": stage, "latency_us": taken} for stage, taken in record.timings_us]
    decided = pb.SlateDecided(
        decision_id=record.decision_id,
        request=_request_to_proto(record.request),
        seed=record.seed,
        arm=record.arm,
        sources=sources,
        signal_names=record.signal_names,
        head_names=record.head_names,
        user_groups=record.user_groups,
        item_groups=record.item_groups,
        user_columns=to_tensor(record.user_columns),
        user_group_ages_s=to_tensor(record.user_group_ages_s),
        user_group_mask=to_tensor(record.user_group_mask),
        scored_position=record.scored_position,
        best_n=record.best_n,
        slate=slate,
        slate_candidates=table_to_proto(record.slate_candidates),
        mutations=[mutation_to_proto(m) for m in record.mutations],
        propensity=propensity_to_proto(record.propensity),
        degradations=degradations_to_proto(record.degradations),
        timings=timings,
        wall_time=timestamp(record.wall_ms),
        input_digests=record.input_digests,
    )
    return decided, funnel


def record_from_proto(
    decided: pb.SlateDecided,
    funnel: pb.Funnel | None,
    *,
    surface: str,
    occurred_at_ms: int,
    versions: Versions,
) -> DecisionRecord:
    """Return the record of an event payload and, when on record, its funnel; the rest is the envelope's.

    Raises:
        CorruptRecord: A part is malformed or unknown to this build.
    """
    try:
        return DecisionRecord(
            decision_id=decided.decision_id,
            surface=surface,
            occurred_at_ms=occurred_at_ms,
            wall_ms=milliseconds(decided.wall_time, "wall_time"),
            request=_request_from_proto(decided.request),
            versions=versions,
            seed=decided.seed,
            arm=decided.arm,
            sources=tuple(
                SourceReport(parse_enum(Source, s.source, "sources"), s.count, s.latency_us, s.failed, s.reason)
                for s in decided.sources
            ),
            signal_names=tuple(decided.signal_names),
            head_names=tuple(decided.head_names),
            user_groups=tuple(decided.user_groups),
            item_groups=tuple(decided.item_groups),
            user_columns=from_tensor(decided.user_columns, "user_columns", np.float16),
            user_group_ages_s=from_tensor(decided.user_group_ages_s, "user_group_ages_s", np.uint32),
            user_group_mask=from_tensor(decided.user_group_mask, "user_group_mask", np.uint8),
            scored_position=decided.scored_position,
            best_n=decided.best_n,
            slate=tuple(
                SlatePosition(
                    item_id=p.item_id,
                    position=p.position,
                    pre_swap_rank=p.pre_swap_rank,
                    p_shown=p.p_shown,
                    p_position=p.p_position,
                    scheme=parse_enum(Scheme, p.scheme, "slate.scheme"),
                    propensity_error=p.propensity_error,
                    support=p.support,
                )
                for p in decided.slate
            ),
            slate_candidates=table_from_proto(decided.slate_candidates),
            candidates=None if funnel is None else table_from_proto(funnel.candidates),
            mutations=tuple(mutation_from_proto(m) for m in decided.mutations),
            propensity=propensity_from_proto(decided.propensity),
            degradations=degradations_from_proto(decided.degradations),
            timings_us=tuple((parse_enum(Stage, t.stage, "timings"), t.latency_us) for t in decided.timings),
            input_digests=dict(decided.input_digests),
        )
    except CorruptRecord:
        raise
    except Exception as error:
        raise CorruptRecord(f"decision {decided.decision_id.hex()}: {error}") from error


def _request_to_proto(request: RequestRecord) -> pb.RequestRecord:
    context = SealedContext(external_id=request.sealed_external_id, query_text=request.sealed_query_text)
    return pb.RequestRecord(
        request_id=request.request_id,
        subject=request.subject,
        session_id=request.session_id,
        page_start=request.page_start,
        k=request.k,
        anchor_item_ids=request.anchors.tolist(),
        exclude_item_ids=request.excluded.tolist(),
        locale=request.locale,
        client_version=request.client_version,
        purpose=number(request.purpose),
        exploration=number(request.exploration),
        request_hash=request.request_hash,
        sealed=Sealed(key_id=0, data=context.SerializeToString()),
    )


def _request_from_proto(message: pb.RequestRecord) -> RequestRecord:
    context = SealedContext.FromString(message.sealed.data)
    return RequestRecord(
        request_id=message.request_id,
        subject=message.subject,
        session_id=message.session_id,
        page_start=message.page_start,
        k=message.k,
        anchors=np.array(message.anchor_item_ids, dtype=np.uint64),
        excluded=np.array(message.exclude_item_ids, dtype=np.uint64),
        locale=message.locale,
        client_version=message.client_version,
        purpose=parse_enum(Purpose, message.purpose, "request.purpose"),
        exploration=parse_enum(Exploration, message.exploration, "request.exploration"),
        request_hash=message.request_hash,
        sealed_external_id=context.external_id,
        sealed_query_text=context.query_text,
    )
