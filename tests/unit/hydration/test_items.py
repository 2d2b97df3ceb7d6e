from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loopwright.domain.enums import ActionKind, DegradationReason, Eligibility, Mask, Stage
from loopwright.domain.ids import name_id
from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout, InvalidRequest
from loopwright.featurespec.columns import candidate_columns, cross_context
from loopwright.featurespec.groups import ITEM_GROUPS, USER_GROUPS, width
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import EMPTY_USER, read_user
from loopwright.hydration.items import ITEM_ROWS, MAX_ITEMS
from loopwright.pipeline.types import Degradation, ItemQuery

NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
NOBODY = cross_context(EMPTY_USER, ItemTable(), NOW_MS)


@pytest.fixture
def query(ids):
    return lambda *names: ItemQuery("p" * 64, ids(*names), NOW_MS, ITEM_GROUPS, NOBODY)


def degraded(reason, subject):
    return Degradation(Stage.HYDRATE_ITEMS, reason, subject)


async def test_candidates_come_in_the_asked_order_with_what_policy_needs(item_side, query, memory_rows, deadline):
    columns = await item_side.columns(query("b", "c", "a", "b"), deadline)
    assert columns.external_ids == ("b", "c", "a", "b")
    assert columns.creator_ids.tolist() == [0, name_id("ann"), name_id("ann"), 0]
    assert columns.first_tag_ids.tolist() == [name_id("comedy"), *[name_id("drama")] * 2, name_id("comedy")]
    assert columns.eligibility.tolist() == [0, Eligibility.OUT_OF_STOCK, 0, 0]
    assert columns.columns.shape == (4, width(ITEM_GROUPS))
    assert columns.columns.dtype == columns.content.dtype == np.float16
    assert np.array_equal(columns.columns[0], columns.columns[3])
    assert columns.degradations == ()
    assert memory_rows.calls == []


async def test_the_columns_are_the_folds_own_crosses_included(item_side, mirror, query, user_states, ids, deadline):
    states = user_states(("a", ActionKind.LIKE, NOW_MS - HOUR_MS))
    user = cross_context(read_user(states.get("user_history.v1"), states.get("user_activity.v1")), mirror.table, NOW_MS)
    columns = await item_side.columns(replace(query("a", "b"), cross=user), deadline)
    block = candidate_columns(user, mirror.table, mirror.table.rows_of(ids("a", "b")), NOW_MS, ITEM_GROUPS)
    assert columns.columns.tobytes() == block.columns.tobytes()
    assert columns.group_ages_s.tobytes() == block.ages_s.tobytes()
    assert columns.group_mask.tobytes() == block.mask.tobytes()


async def test_another_hour_is_derived_for_the_asked_time(item_side, query, deadline):
    now = await item_side.columns(query("a"), deadline)
    before_the_click = replace(query("a"), now_ms=NOW_MS - 25 * HOUR_MS)
    earlier = await item_side.columns(before_the_click, deadline)
    assert earlier.columns.tobytes() != now.columns.tobytes()
    trend = ITEM_GROUPS.index("item_trend.v1")
    assert now.group_mask[0, trend] == Mask.PRESENT


async def test_an_unknown_item_gets_absent_defaults_and_bars_itself(item_side, query, memory_rows, deadline):
    columns = await item_side.columns(query("a", "nobody"), deadline)
    assert columns.eligibility.tolist() == [0, Eligibility.UNKNOWN_ITEM]
    assert columns.external_ids == ("a", "")
    assert columns.group_mask[1].tolist() == [Mask.ABSENT] * len(ITEM_GROUPS)
    assert (columns.creator_ids[1], columns.first_tag_ids[1], columns.content[1].any()) == (0, 0, False)
    assert columns.degradations == ()
    assert memory_rows.calls == ["items"]


async def test_an_item_that_only_the_store_knows_is_answered_from_there_once(
    item_side, query, memory_rows, item_states, ids, deadline
):
    memory_rows.states = {int(ids("new")[0]): item_states("new", tags=("crime",))}
    for _ in range(2):
        columns = await item_side.columns(query("new", "a"), deadline)
        assert columns.external_ids == ("new", "a")
        assert columns.eligibility.tolist() == [0, 0]
        assert columns.first_tag_ids[0] == name_id("crime")
        assert columns.group_mask[0, 0] == Mask.PRESENT
    assert memory_rows.calls == ["items"]


async def test_what_the_mirror_learned_while_the_store_was_asked_is_newer(
    item_side, mirror, query, memory_rows, item_states, ids, deadline
):
    async def meanwhile(item_ids, deadline):
        mirror.table.put_many(item_states("new", out_of_stock=True))
        return item_states("new")

    memory_rows.items = meanwhile
    columns = await item_side.columns(query("new"), deadline)
    assert columns.eligibility.tolist() == mirror.table.eligibility[mirror.table.rows_of(ids("new"))].tolist() != [0]


async def test_a_stored_item_that_does_not_decode_hides_itself_alone_and_is_asked_for_again(
    item_side, query, memory_rows, item_states, ids, deadline
):
    [corrupt] = ids("corrupt").tolist()
    good = [state for name in ("new", "newer") for state in item_states(name)]
    memory_rows.states = {corrupt: [(corrupt, "item_counts.v1", b"\xff")]}
    memory_rows.states |= {item: [state for state in good if state[0] == item] for item, _, _ in good}
    for _ in range(2):
        columns = await item_side.columns(query("new", "corrupt", "newer"), deadline)
        assert columns.external_ids == ("new", "", "newer")
        assert columns.group_mask[1].tolist() == [Mask.NOT_ANSWERED] * len(ITEM_GROUPS)
        assert Mask.NOT_ANSWERED not in columns.group_mask[[0, 2]]
        assert columns.degradations[0] == degraded(DegradationReason.UNAVAILABLE, ITEM_ROWS)
    assert memory_rows.calls == ["items", "items"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (FeatureStoreTimeout(), DegradationReason.TIMEOUT),
        (FeatureStoreDown(), DegradationReason.UNAVAILABLE),
    ],
)
async def test_a_miss_that_the_store_does_not_answer_is_flagged_for_that_item_only(
    item_side, query, memory_rows, deadline, fault, reason
):
    memory_rows.fault = fault
    columns = await item_side.columns(query("a", "new"), deadline)
    assert columns.group_mask[1].tolist() == [Mask.NOT_ANSWERED] * len(ITEM_GROUPS)
    assert Mask.NOT_ANSWERED not in columns.group_mask[0].tolist()
    assert columns.degradations == (
        degraded(reason, ITEM_ROWS),
        *(degraded(DegradationReason.NOT_ANSWERED, group) for group in ITEM_GROUPS),
    )


async def test_without_a_miss_a_store_that_is_away_changes_nothing(item_side, query, memory_rows, wall, deadline):
    memory_rows.fault = FeatureStoreDown()
    assert (await item_side.columns(query("a"), deadline)).degradations == ()
    wall.ms += 10_000
    assert (await item_side.columns(query("a"), deadline)).degradations == ()


async def test_a_projector_that_stands_still_makes_every_group_stale(item_side, query, wall, deadline):
    wall.ms += 61_000
    columns = await item_side.columns(query("a"), deadline)
    assert columns.degradations == tuple(degraded(DegradationReason.STALE_FEATURES, g) for g in ITEM_GROUPS)


async def test_no_candidates_give_empty_columns_of_the_right_width(item_side, query, deadline):
    columns = await item_side.columns(query(), deadline)
    assert columns.columns.shape == (0, width(ITEM_GROUPS))
    assert columns.group_mask.shape == columns.group_ages_s.shape == (0, len(ITEM_GROUPS))
    assert columns.external_ids == ()


@pytest.mark.parametrize("group", [USER_GROUPS[0], "nothing.v1"])
async def test_a_group_that_is_not_of_candidates_is_refused(item_side, query, deadline, group):
    with pytest.raises(InvalidRequest):
        await item_side.columns(replace(query("a"), groups=(group,)), deadline)


async def test_names_alone_are_answered_without_a_cross_context(item_side, query, deadline):
    nobody = replace(NOBODY, taste=np.zeros(0, dtype=np.float32), statistics=np.zeros(0, dtype=np.float32))
    columns = await item_side.columns(replace(query("a"), groups=(), cross=nobody), deadline)
    assert columns.external_ids == ("a",)


async def test_a_cross_context_of_another_build_or_too_many_items_are_refused(item_side, query, deadline):
    narrow = replace(NOBODY, taste=np.zeros(3, dtype=np.float32))
    with pytest.raises(InvalidRequest, match="cross_context"):
        await item_side.columns(replace(query("a"), cross=narrow), deadline)
    many = np.zeros(MAX_ITEMS + 1, dtype=np.uint64)
    with pytest.raises(InvalidRequest, match="item_ids"):
        await item_side.columns(replace(query("a"), item_ids=many), deadline)
