from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.enums import Source
from loopwright.faults import Internal, InvalidRequest
from loopwright.pipeline.convert.parsing import (
    LATEST_MS,
    answer_of,
    invalid,
    milliseconds,
    parse_enum,
    timestamp,
)


@given(st.integers(0, LATEST_MS - 1))
def test_mesh_time_survives_the_wire(ms):
    assert milliseconds(timestamp(ms), "now") == ms


@pytest.mark.parametrize(
    "wrong",
    [
        Timestamp(seconds=-1),
        Timestamp(seconds=LATEST_MS // 1000),
        Timestamp(nanos=-1),
        Timestamp(nanos=10**9),
    ],
)
def test_a_time_out_of_range_is_refused_by_the_name_of_its_field(wrong):
    with pytest.raises(InvalidRequest) as refused:
        milliseconds(wrong, "decide_at")
    assert refused.value.violations[0].field == "decide_at"


@pytest.mark.parametrize("value", [0, 77])
def test_unspecified_and_unknown_enumeration_values_are_refused(value):
    with pytest.raises(InvalidRequest):
        parse_enum(Source, value, "source")


def test_a_broken_answer_is_the_peers_fault_and_not_the_callers():
    with pytest.raises(Internal) as broken, answer_of("ranking"):
        raise invalid("best", "indices", "must be distinct")
    assert "ranking" in broken.value.message
    assert "best" in broken.value.message
