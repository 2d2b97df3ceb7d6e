from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.common.v1 import decision_pb2 as common
from loopwright.api.events.v1 import decision_pb2 as events
from loopwright.api.policy.v1 import slate_service_pb2 as pb
from loopwright.domain.enums import DropReason, Exploration, MutationKind, Scheme
from loopwright.faults import Internal, InvalidRequest
from loopwright.pipeline.convert.slate import (
    mutation_from_proto,
    slate_from_proto,
    slate_query_from_proto,
    slate_query_to_proto,
    slate_to_proto,
)
from loopwright.pipeline.types import Mutation, Propensity, Slate, SlateQuery

SEEDS = st.integers(0, 2**32)


def query(make, n, seed=2**64 - 1):
    return SlateQuery(
        policy_version="p" * 64,
        k=20,
        seed=seed,
        exploration=Exploration.OFF,
        item_ids=make(np.uint64, n),
        heads=make(np.float32, n, 1),
        head_names=("retrieval",),
        creator_ids=make(np.uint64, n),
        first_tag_ids=make(np.uint64, n),
        eligibility=make(np.uint8, n),
        guards=make(np.uint8, n),
        content=make(np.float16, n, 16),
    )


def slate(make, n):
    length = n // 2
    return Slate(
        indices=np.arange(length, dtype=np.uint32),
        p_shown=make(np.float64, length),
        p_position=make(np.float64, length),
        schemes=make(np.uint8, length),
        pre_swap_ranks=make(np.uint32, length),
        utility=make(np.float64, n),
        drop_reasons=make(np.uint8, n),
        mutations=(Mutation(MutationKind.DIVERSITY, 2**64 - 1, 3, 0),),
        propensity=Propensity(0.01, n, 3, 5),
    )


@given(seed=SEEDS, n=st.integers(0, 8))
def test_query_and_slate_survive_the_wire(arrays, same, seed, n):
    asked, answered = query(arrays(seed), n), slate(arrays(seed), n)
    request = pb.DecideSlateRequest.FromString(slate_query_to_proto(asked).SerializeToString())
    answer = pb.DecideSlateResponse.FromString(slate_to_proto(answered).SerializeToString())
    assert same(slate_query_from_proto(request), asked)
    assert same(slate_from_proto(answer), answered)


def test_heads_that_are_not_one_column_a_name_are_refused(arrays):
    request = slate_query_to_proto(query(arrays(1), 3))
    request.head_names.append("engage")
    with pytest.raises(InvalidRequest) as refused:
        slate_query_from_proto(request)
    assert refused.value.violations[0].field == "heads"


def test_an_index_beyond_the_candidates_is_policys_fault(arrays):
    answer = slate_to_proto(slate(arrays(1), 4))
    answer.utility.CopyFrom(slate_to_proto(slate(arrays(1), 0)).utility)
    with pytest.raises(Internal, match="slate"):
        slate_from_proto(answer)


def test_an_unspecified_mutation_is_refused():
    with pytest.raises(InvalidRequest):
        mutation_from_proto(events.Mutation())


@pytest.mark.parametrize(
    ("kind", "names"),
    [(MutationKind, events.MutationKind), (Scheme, common.Scheme), (Exploration, common.Exploration)],
)
def test_the_domains_numbers_are_those_of_the_protos(kind, names):
    assert {int(member) for member in kind} == set(names.values()) - {0}


def test_the_domains_drop_reasons_are_those_of_the_protos():
    assert {int(reason) for reason in DropReason} == set(events.DropReason.values())
