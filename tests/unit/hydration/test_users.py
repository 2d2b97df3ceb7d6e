from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loopwright.domain.enums import ActionKind, DegradationReason, Mask, Stage
from loopwright.domain.ids import name_id
from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout, InvalidRequest
from loopwright.featurespec.groups import ITEM_GROUPS, USER_GROUPS, width
from loopwright.hydration.users import USER_ROWS
from loopwright.pipeline.types import Degradation, UserQuery

NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
SUBJECT = bytes(range(16))
QUERY = UserQuery("p" * 64, SUBJECT, NOW_MS, USER_GROUPS, True, "r-1", 30.0)


def degraded(reason, subject):
    return Degradation(Stage.HYDRATE_USER, reason, subject)


async def test_a_known_user_is_answered_whole_and_undegraded(user_side, memory_rows, user_states, ids, deadline):
    states = user_states(
        ("a", ActionKind.CLICK, NOW_MS - HOUR_MS), ("b", ActionKind.LIKE, NOW_MS - 2 * HOUR_MS), blocked=("bob",)
    )
    memory_rows.row = replace(memory_rows.row, states=states, recent=ids("c"), stored_answer=b"answer")
    context = await user_side.context(QUERY, deadline)
    assert context.degradations == ()
    assert context.columns.shape == (width(USER_GROUPS),)
    assert context.columns.dtype == np.float16
    assert context.group_mask.tolist() == [Mask.PRESENT] * len(USER_GROUPS)
    assert context.history.item_ids.tolist() == ids("a", "b").tolist()
    assert context.history.ages_s.tolist() == [3600, 7200]
    assert set(context.acted.tolist()) == set(ids("a", "b").tolist())
    assert context.blocked_creators.tolist() == [name_id("bob")]
    assert (context.recent.tolist(), context.stored_answer) == (ids("c").tolist(), b"answer")
    assert np.linalg.norm(context.cross.taste) > 0


async def test_a_new_user_gets_defaults_that_are_absent_and_no_degradation(user_side, deadline):
    context = await user_side.context(QUERY, deadline)
    assert context.degradations == ()
    assert context.group_mask.tolist() == [Mask.ABSENT] * len(USER_GROUPS)
    assert len(context.history.item_ids) == len(context.acted) == 0


async def test_actions_after_the_asked_time_are_left_out(user_side, memory_rows, user_states, ids, deadline):
    states = user_states(("a", ActionKind.CLICK, NOW_MS - HOUR_MS), ("b", ActionKind.CLICK, NOW_MS - 3 * HOUR_MS))
    memory_rows.row = replace(memory_rows.row, states=states)
    earlier = await user_side.context(replace(QUERY, now_ms=NOW_MS - 2 * HOUR_MS), deadline)
    assert earlier.history.item_ids.tolist() == earlier.acted.tolist() == ids("b").tolist()


async def test_what_the_query_asks_for_is_what_the_store_is_asked(user_side, memory_rows, deadline):
    await user_side.context(replace(QUERY, read_recent=False, request_id=""), deadline)
    assert memory_rows.calls == ["user"]
    asked = memory_rows.asked
    assert (asked["subject"], asked["read_recent"], asked["request_id"]) == (SUBJECT, False, "")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (FeatureStoreTimeout(), DegradationReason.TIMEOUT),
        (FeatureStoreDown(), DegradationReason.UNAVAILABLE),
    ],
)
async def test_without_the_store_the_user_is_served_as_new_and_every_group_says_so(
    user_side, memory_rows, deadline, fault, reason
):
    memory_rows.fault = fault
    context = await user_side.context(QUERY, deadline)
    assert context.group_mask.tolist() == [Mask.NOT_ANSWERED] * len(USER_GROUPS)
    assert context.degradations == (
        degraded(reason, USER_ROWS),
        *(degraded(DegradationReason.NOT_ANSWERED, group) for group in USER_GROUPS),
    )
    assert context.columns.shape == (width(USER_GROUPS),)


async def test_an_unreadable_row_degrades_and_keeps_what_else_was_read(user_side, memory_rows, ids, deadline):
    memory_rows.row = replace(memory_rows.row, states={"user_history.v1": b"\xff"}, recent=ids("c"))
    context = await user_side.context(QUERY, deadline)
    assert context.degradations[0] == degraded(DegradationReason.UNAVAILABLE, USER_ROWS)
    assert context.group_mask.tolist() == [Mask.NOT_ANSWERED] * len(USER_GROUPS)
    assert context.recent.tolist() == ids("c").tolist()


async def test_a_projector_that_stands_still_makes_every_group_stale(user_side, memory_rows, wall, deadline):
    wall.ms += 16_000
    context = await user_side.context(QUERY, deadline)
    assert context.degradations == tuple(degraded(DegradationReason.STALE_FEATURES, g) for g in USER_GROUPS)


@pytest.mark.parametrize("group", [ITEM_GROUPS[0], "nothing.v1"])
async def test_a_group_that_is_not_of_users_is_refused(user_side, memory_rows, deadline, group):
    with pytest.raises(InvalidRequest):
        await user_side.context(replace(QUERY, groups=(group,)), deadline)
    assert memory_rows.calls == []
