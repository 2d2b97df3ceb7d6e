from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.common.v1 import decision_pb2 as pb
from loopwright.domain.enums import DegradationReason, Stage
from loopwright.faults import InvalidRequest
from loopwright.pipeline.convert.degradations import (
    degradations_from_proto,
    degradations_to_proto,
    versions_from_proto,
    versions_to_proto,
)
from loopwright.pipeline.types import Degradation, Versions

DEGRADATION = st.builds(Degradation, st.sampled_from(Stage), st.sampled_from(DegradationReason), st.text(max_size=9))
TEXT = st.text(max_size=9)


@given(st.lists(DEGRADATION, max_size=5).map(tuple))
def test_degradations_keep_stage_reason_subject_and_order(degradations):
    assert degradations_from_proto(degradations_to_proto(degradations)) == degradations


@given(st.builds(Versions, TEXT, TEXT, TEXT, TEXT, TEXT, st.lists(TEXT, max_size=4).map(tuple)))
def test_versions_survive_the_wire(versions):
    assert versions_from_proto(versions_to_proto(versions)) == versions


def test_an_unspecified_reason_is_refused_with_its_place_in_the_list():
    whole = pb.Degradation(stage="STAGE_RANK", reason="DEGRADATION_REASON_TIMEOUT")
    with pytest.raises(InvalidRequest) as refused:
        degradations_from_proto([whole, pb.Degradation(stage="STAGE_RANK")])
    assert refused.value.violations[0].field == "degradations[1].reason"


@pytest.mark.parametrize(("kind", "names"), [(Stage, pb.Stage), (DegradationReason, pb.DegradationReason)])
def test_the_domains_numbers_are_those_of_the_protos(kind, names):
    assert {int(member) for member in kind} == set(names.values()) - {0}
