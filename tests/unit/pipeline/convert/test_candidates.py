from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.common.v1 import decision_pb2 as common
from loopwright.api.retrieval.v1 import retrieval_service_pb2 as pb
from loopwright.domain.enums import Source
from loopwright.faults import Internal, InvalidRequest
from loopwright.pipeline.convert.candidates import (
    candidate_set_from_proto,
    candidate_set_to_proto,
    retrieval_query_from_proto,
    retrieval_query_to_proto,
)
from loopwright.pipeline.types import CandidateSet, History, RetrievalQuery, SourcePlan, SourceReport
from loopwright.rpc.validation import violations

SEEDS = st.integers(0, 2**32)


def query(make, n):
    return RetrievalQuery(
        policy_version="p" * 64,
        two_tower_version="",
        now_ms=1_000,
        history=History(make(np.uint64, n), make(np.uint8, n) & 0x7F, make(np.float32, n), make(np.uint32, n)),
        avoid=make(np.uint64, n),
        anchors=make(np.uint64, 1),
        sources=(SourcePlan(Source.FRESH, 30, 0.5, 20), SourcePlan(Source.TRENDING, 10, 1.5, 40)),
        max_candidates=500,
        fresh_days=30.0,
    )


def found(make, n):
    return CandidateSet(
        item_ids=make(np.uint64, n),
        fused_scores=make(np.float32, n),
        source_ranks=make(np.uint16, n, 2),
        source_scores=make(np.float32, n, 2),
        signals=make(np.float32, n, 1),
        signal_names=("two_tower",),
        reports=(
            SourceReport(Source.FRESH, 3, 120, False, ""),
            SourceReport(Source.TRENDING, 0, 40_000, True, "late"),
        ),
        index_epoch="e" * 64,
    )


@given(seed=SEEDS, n=st.integers(0, 6))
def test_query_and_candidates_survive_the_wire(arrays, same, seed, n):
    asked, answered = query(arrays(seed), n), found(arrays(seed), n)
    request = pb.RetrieveRequest.FromString(retrieval_query_to_proto(asked).SerializeToString())
    answer = pb.RetrieveResponse.FromString(candidate_set_to_proto(answered).SerializeToString())
    assert same(retrieval_query_from_proto(request), asked)
    assert same(candidate_set_from_proto(answer), answered)


def test_a_source_planned_twice_is_refused(arrays):
    request = retrieval_query_to_proto(query(arrays(1), 2))
    request.sources.append(request.sources[0])
    with pytest.raises(InvalidRequest) as refused:
        retrieval_query_from_proto(request)
    assert refused.value.violations[0].field == "sources"


def test_ranks_that_are_not_one_column_a_source_are_retrievals_fault(arrays):
    answer = candidate_set_to_proto(found(arrays(1), 2))
    del answer.reports[1]
    with pytest.raises(Internal, match="source_ranks"):
        candidate_set_from_proto(answer)


def test_a_source_that_the_protos_do_not_name_keeps_its_rules_and_its_number_on_the_wire(arrays):
    request = retrieval_query_to_proto(query(arrays(1), 2))
    beyond = max(common.CandidateSource.values()) + 4000
    request.sources[0].source = beyond
    again = pb.RetrieveRequest.FromString(request.SerializeToString())
    assert again.sources[0].source == beyond and violations(again) == ()
    request.sources[0].source = 0
    assert [found.field for found in violations(request)] == ["sources[0].source"]


def test_a_source_that_is_not_registered_is_refused_by_its_place(arrays):
    request = retrieval_query_to_proto(query(arrays(1), 2))
    request.sources[1].source = max(Source) + 4000
    with pytest.raises(InvalidRequest) as refused:
        retrieval_query_from_proto(request)
    assert refused.value.violations[0].field == "sources[1].source"
