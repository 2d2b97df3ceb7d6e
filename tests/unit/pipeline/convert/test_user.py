from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.hydration.v1 import hydration_service_pb2 as pb
from loopwright.domain.enums import DegradationReason, Stage
from loopwright.domain.vectors import LIKED_FLAG
from loopwright.faults import Internal, InvalidRequest
from loopwright.pipeline.convert.user import (
    cross_from_proto,
    cross_to_proto,
    history_from_proto,
    history_to_proto,
    user_context_from_proto,
    user_context_to_proto,
    user_query_from_proto,
    user_query_to_proto,
)
from loopwright.pipeline.types import CrossContext, Degradation, History, UserContext, UserQuery

SEEDS = st.integers(0, 2**32)
ROWS = st.integers(0, 6)


def history(make, rows):
    return History(make(np.uint64, rows), make(np.uint8, rows) & 0x7F, make(np.float32, rows), make(np.uint32, rows))


def cross(make, rows):
    return CrossContext(
        taste=make(np.float32, 16),
        tag_ids=make(np.uint64, rows),
        tag_weights=make(np.float32, rows),
        creator_ids=make(np.uint64, rows + 1),
        creator_weights=make(np.float32, rows + 1),
        statistics=make(np.float32, 3),
        locale="de-AT",
    )


def context(make, rows):
    return UserContext(
        columns=make(np.float16, 2 * rows),
        group_ages_s=make(np.uint32, rows),
        group_mask=make(np.uint8, rows),
        history=history(make, rows),
        cross=cross(make, rows),
        acted=make(np.uint64, rows),
        viewed=make(np.uint64, rows + 1),
        blocked_items=make(np.uint64, rows + 2),
        blocked_creators=make(np.uint64, rows + 3),
        recent=make(np.uint64, rows + 4),
        stored_answer=b"\x00\xff" * rows,
        degradations=(Degradation(Stage.HYDRATE_USER, DegradationReason.TIMEOUT, "user_activity.v1"),),
    )


def test_a_query_survives_the_wire():
    query = UserQuery("p" * 64, b"s" * 16, 1_234_567_890_123, ("a.v1", "b.v1"), True, "r-1", 30.5)
    request = pb.GetUserContextRequest.FromString(user_query_to_proto(query).SerializeToString())
    assert user_query_from_proto(request) == query


@given(seed=SEEDS, rows=ROWS)
def test_history_and_cross_context_survive_the_wire(arrays, same, seed, rows):
    made, crossed = history(arrays(seed), rows), cross(arrays(seed), rows)
    assert same(history_from_proto(history_to_proto(made)), made)
    assert same(cross_from_proto(cross_to_proto(crossed)), crossed)


@given(seed=SEEDS, rows=ROWS)
def test_a_users_context_survives_the_wire(arrays, same, seed, rows):
    whole = context(arrays(seed), rows)
    answer = pb.GetUserContextResponse.FromString(user_context_to_proto(whole).SerializeToString())
    assert same(user_context_from_proto(answer), whole)


def test_columns_of_a_history_must_be_equally_long(arrays):
    message = history_to_proto(history(arrays(1), 3))
    message.kinds.CopyFrom(history_to_proto(history(arrays(1), 2)).kinds)
    with pytest.raises(InvalidRequest) as refused:
        history_from_proto(message)
    assert refused.value.violations[0].field == "history.kinds"


def test_ids_and_weights_of_a_cross_context_must_be_equally_many(arrays):
    message = cross_to_proto(cross(arrays(1), 3))
    message.tag_weights.CopyFrom(message.creator_weights)
    with pytest.raises(InvalidRequest) as refused:
        cross_from_proto(message)
    assert refused.value.violations[0].field == "cross_context.tag_weights"


def test_an_answer_without_its_parts_is_hydrations_fault():
    with pytest.raises(Internal):
        user_context_from_proto(pb.GetUserContextResponse())


def test_the_liked_flag_of_a_kind_travels_as_a_column_of_its_own():
    kinds = np.array([1, 17 | LIKED_FLAG], dtype=np.uint8)
    ids = np.array([1, 2], dtype=np.uint64)
    message = history_to_proto(History(ids, kinds, np.ones(2, np.float32), np.zeros(2, np.uint32)))
    assert list(message.kinds.data) == [1, 17]
    assert list(message.liked.data) == [0, 1]
    assert history_from_proto(message).kinds.tolist() == kinds.tolist()
