"""Retrieval's query and candidate set to and from messages."""

from __future__ import annotations

import numpy as np

from loopwright.api.retrieval.v1 import retrieval_service_pb2 as pb
from loopwright.domain.enums import PLANNED_SOURCES, Source
from loopwright.pipeline.convert.parsing import (
    answer_of,
    invalid,
    milliseconds,
    number,
    parse_enum,
    timestamp,
)
from loopwright.pipeline.convert.tensors import from_tensor, to_tensor
from loopwright.pipeline.convert.user import history_from_proto, history_to_proto
from loopwright.pipeline.types import CandidateSet, RetrievalQuery, SourcePlan, SourceReport


def retrieval_query_to_proto(query: RetrievalQuery) -> pb.RetrieveRequest:
    """Return the query as a request."""
    return pb.RetrieveRequest(
        policy_version=query.policy_version,
        two_tower_version=query.two_tower_version,
        now=timestamp(query.now_ms),
        history=history_to_proto(query.history),
        avoid_item_ids=to_tensor(query.avoid),
        anchor_item_ids=to_tensor(query.anchors),
        sources=[
            pb.SourcePlan(source=number(p.source), quota=p.quota, weight=p.weight, budget_ms=p.budget_ms)
            for p in query.sources
        ],
        max_candidates=query.max_candidates,
        fresh_days=query.fresh_days,
    )


def retrieval_query_from_proto(request: pb.RetrieveRequest) -> RetrievalQuery:
    """Return the request as a query.

    Raises:
        InvalidRequest: A tensor is malformed, the time out of range, or a source unknown, not for planning or twice.
    """
    sources = tuple(
        SourcePlan(
            source=parse_enum(Source, p.source, f"sources[{i}].source"),
            quota=p.quota,
            weight=p.weight,
            budget_ms=p.budget_ms,
        )
        for i, p in enumerate(request.sources)
    )
    if len({p.source for p in sources}) != len(sources):
        raise invalid("sources", "repeated.unique", "each source may be planned once")
    if any(p.source not in PLANNED_SOURCES for p in sources):
        raise invalid("sources", "planned", "must be sources that retrieval has")
    return RetrievalQuery(
        policy_version=request.policy_version,
        two_tower_version=request.two_tower_version,
        now_ms=milliseconds(request.now, "now"),
        history=history_from_proto(request.history),
        avoid=from_tensor(request.avoid_item_ids, "avoid_item_ids", np.uint64),
        anchors=from_tensor(request.anchor_item_ids, "anchor_item_ids", np.uint64),
        sources=sources,
        max_candidates=request.max_candidates,
        fresh_days=request.fresh_days,
    )


def candidate_set_to_proto(candidates: CandidateSet) -> pb.RetrieveResponse:
    """Return the candidate set as an answer."""
    return pb.RetrieveResponse(
        item_ids=to_tensor(candidates.item_ids),
        fused_scores=to_tensor(candidates.fused_scores),
        source_ranks=to_tensor(candidates.source_ranks),
        source_scores=to_tensor(candidates.source_scores),
        signals=to_tensor(candidates.signals),
        signal_names=candidates.signal_names,
        reports=[
            pb.SourceReport(
                source=number(r.source),
                count=r.count,
                latency_us=r.latency_us,
                failed=r.failed,
                reason=r.reason,
            )
            for r in candidates.reports
        ],
        index_epoch=candidates.index_epoch,
    )


def candidate_set_from_proto(message: pb.RetrieveResponse) -> CandidateSet:
    """Return the answer as a candidate set.

    Raises:
        Internal: The answer is malformed or its parts differ in length.
    """
    with answer_of("retrieval"):
        item_ids = from_tensor(message.item_ids, "item_ids", np.uint64)
        n, planned = len(item_ids), len(message.reports)
        return CandidateSet(
            item_ids=item_ids,
            fused_scores=from_tensor(message.fused_scores, "fused_scores", np.float32, (n,)),
            source_ranks=from_tensor(message.source_ranks, "source_ranks", np.uint16, (n, planned)),
            source_scores=from_tensor(message.source_scores, "source_scores", np.float32, (n, planned)),
            signals=from_tensor(message.signals, "signals", np.float32, (n, len(message.signal_names))),
            signal_names=tuple(message.signal_names),
            reports=tuple(
                SourceReport(
                    source=parse_enum(Source, r.source, f"reports[{i}].source"),
                    count=r.count,
                    latency_us=r.latency_us,
                    failed=r.failed,
                    reason=r.reason,
                )
                for i, r in enumerate(message.reports)
            ),
            index_epoch=message.index_epoch,
        )
