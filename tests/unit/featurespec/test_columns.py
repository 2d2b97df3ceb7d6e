"""All columns together: finite over extremes, defaults marked, the present never leaking into an earlier time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.featurespec.worlds import NOW_MS, world

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.enums import Mask
from loopwright.faults import InvalidRequest
from loopwright.featurespec.columns import (
    NO_AGE,
    candidate_columns,
    cross_columns,
    cross_context,
    empty_context,
    item_columns,
    user_columns,
)
from loopwright.featurespec.facts import Fact, FactBatch
from loopwright.featurespec.folds.catalog import fold_catalog
from loopwright.featurespec.folds.users import UserFold
from loopwright.featurespec.groups import CROSS_AFFINITY, GROUPS, ITEM_GROUPS, USER_GROUPS, Entity, group, width
from loopwright.featurespec.rings import DAY_MS
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import EMPTY_USER

LATEST_MS = 4_102_444_799_000
EVERY_USER_GROUP = tuple(name for name, found in GROUPS.items() if found.entity is Entity.USER)
EVERY_ITEM_GROUP = tuple(name for name, found in GROUPS.items() if found.entity is not Entity.USER)
ITEMS = tuple(name for name in ITEM_GROUPS if GROUPS[name].entity is Entity.ITEM)
TIMES = st.one_of(st.integers(0, LATEST_MS), st.just(0), st.just(LATEST_MS))
VALUES = st.floats(-1e30, 1e30)


def event_of(number: int, at_ms: int, item: int, kind: int, value: float) -> Event:
    event = Event(event_id=number.to_bytes(16, "big"))
    event.occurred_at.FromMilliseconds(at_ms)
    said = event.organic_interaction
    said.subject, said.item_id, said.kind, said.value, said.liked = bytes(16), item, kind, value, value > 3
    return event


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(TIMES, st.integers(1, 6), st.integers(1, 17), VALUES), max_size=30),
    st.lists(st.tuples(st.integers(1, 6), TIMES, st.sampled_from([(), ("a",), ("a", "b", "c")])), max_size=8),
    st.integers(0, 255),
    TIMES,
)
def test_every_column_is_a_finite_float16_within_60000(actions, items, kind, now_ms) -> None:  # type: ignore[no-untyped-def]
    table, user = ItemTable(), UserFold()
    for number, (item, published_ms, tags) in enumerate(items):
        event = Event(event_id=number.to_bytes(16, "big"))
        event.item_upserted.item_id, event.item_upserted.creator = item, "c" * (item % 2)
        event.item_upserted.tags.extend(tags)
        event.item_upserted.published_at.FromMilliseconds(published_ms)
        fold_catalog(table, event)
    for number, (at_ms, item, action, value) in enumerate(actions):
        user.apply(event_of(number, at_ms, item, action, value))
        table.fold_facts(FactBatch.of([Fact(item, kind, value, at_ms)] * 3))
    state = user.state()
    rows = np.arange(-1, len(table))
    user_block = user_columns(state, table, now_ms, EVERY_USER_GROUP)
    context = cross_context(state, table, now_ms)
    block = candidate_columns(context, table, rows, now_ms, EVERY_ITEM_GROUP)
    for found in (user_block, block):
        assert found.columns.dtype == np.float16
        assert found.ages_s.dtype == np.uint32
        assert found.mask.dtype == np.uint8
        wide = found.columns.astype(np.float64)
        assert np.isfinite(wide).all()
        assert (np.abs(wide) <= 60_000).all()
    assert user_block.columns.shape == (width(EVERY_USER_GROUP),)
    assert block.columns.shape == (len(rows), width(EVERY_ITEM_GROUP))
    assert (block.mask[0] == Mask.ABSENT).all()


def test_counts_that_no_column_could_hold_raw_are_still_finite() -> None:
    table = ItemTable()
    row = table.row_for(5)
    table.counts.totals[row] = np.iinfo(np.int64).max // 4
    table.counts.daily[row] = table.counts.hourly[row] = np.iinfo(np.uint32).max
    table.counts.day_heads[row], table.counts.hour_heads[row] = 10, 240
    table.catalogue.totals += table.counts.totals[row]
    block = item_columns(table, np.array([row]), 11 * DAY_MS, ITEMS)
    assert np.isfinite(block.columns.astype(np.float64)).all()


def test_a_user_of_whom_nothing_is_known_has_absent_defaults() -> None:
    table, _ = world()
    block = user_columns(EMPTY_USER, table, NOW_MS, USER_GROUPS)
    assert block.mask.tolist() == [Mask.ABSENT] * len(USER_GROUPS)
    assert block.ages_s.tolist() == [NO_AGE] * len(USER_GROUPS)
    crosses = cross_columns(cross_context(EMPTY_USER, table, NOW_MS), table, np.arange(5), NOW_MS, (CROSS_AFFINITY,))
    assert (crosses.mask == Mask.ABSENT).all()
    again = cross_columns(empty_context(), table, np.arange(5), NOW_MS, (CROSS_AFFINITY,))
    assert again.columns.tobytes() == crosses.columns.tobytes()


def test_an_untouched_catalogue_item_has_counts_of_zero_as_a_fact_and_no_trend() -> None:
    table, _ = world()
    event = Event(event_id=bytes(16))
    event.occurred_at.FromMilliseconds(NOW_MS - 60_000)
    event.item_upserted.item_id = 12345
    event.item_upserted.tags.append("drama")
    row = fold_catalog(table, event)
    assert row is not None
    now_ms = NOW_MS - NOW_MS % 3_600_000 + 3_600_000
    block = item_columns(table, np.array([row]), now_ms, ITEMS)
    assert dict(zip(ITEMS, block.mask[0].tolist(), strict=True)) == {
        "item_content.v1": Mask.PRESENT,
        "item_counts.v1": Mask.PRESENT,
        "item_trend.v1": Mask.ABSENT,
        "item_creator.v1": Mask.ABSENT,
    }
    assert block.ages_s[0, 1] == (now_ms - NOW_MS + 60_000) // 1000


def test_most_cells_are_not_defaults_where_the_catalogue_has_the_facts() -> None:
    table, users = world()
    rows = np.flatnonzero(table.creator_ids != 0)
    context = cross_context(users[0], table, NOW_MS)
    block = candidate_columns(context, table, rows, NOW_MS, ITEM_GROUPS)
    assert ((block.mask == Mask.PRESENT).mean(axis=0) >= 0.5).all()


def test_what_happens_later_changes_no_column_of_an_earlier_day() -> None:
    table, users = world()
    state = users[0]
    then_ms = NOW_MS - NOW_MS % DAY_MS - 1  # the last moment of the day before
    rows = np.arange(len(table))
    before = user_columns(state, table, then_ms, ("user_history.v1", "user_taste.v1"))
    kept = state.history.times_ms <= then_ms
    assert 0 < kept.sum() < len(kept)
    items = item_columns(table, rows, then_ms, ("item_trend.v1",))
    facts = [Fact(int(item), 17, 5.0, NOW_MS) for item in table.ids for _ in range(5)]
    table.fold_facts(FactBatch.of(facts))
    after = user_columns(state, table, then_ms, ("user_history.v1", "user_taste.v1"))
    np.testing.assert_allclose(after.columns.astype(float), before.columns.astype(float), atol=0.02)
    decayed = slice(1, 11)  # everything read from the days
    again = item_columns(table, rows, then_ms, ("item_trend.v1",))
    assert again.columns[:, decayed].tobytes() == items.columns[:, decayed].tobytes()


def test_columns_of_a_candidate_do_not_depend_on_the_other_candidates() -> None:
    table, users = world()
    context = cross_context(users[3], table, NOW_MS)
    rows = np.arange(len(table))
    whole = candidate_columns(context, table, rows, NOW_MS, ITEM_GROUPS)
    for row in (0, 7, 31):
        alone = candidate_columns(context, table, np.array([row]), NOW_MS, ITEM_GROUPS)
        assert alone.columns[0].tobytes() == whole.columns[row].tobytes()


def test_groups_stand_in_the_asked_order() -> None:
    table, users = world()
    context = cross_context(users[3], table, NOW_MS)
    rows = np.arange(5)
    order = ("item_trend.v1", CROSS_AFFINITY, "item_content.v1")
    block = candidate_columns(context, table, rows, NOW_MS, order)
    at = group("item_trend.v1").width
    crosses = cross_columns(context, table, rows, NOW_MS, (CROSS_AFFINITY,))
    assert block.columns[:, at : at + crosses.columns.shape[1]].tobytes() == crosses.columns.tobytes()
    assert block.mask.shape == (5, 3)


def test_a_context_of_another_layout_is_refused() -> None:
    table, _ = world()
    context = empty_context()
    broken = type(context)(
        context.taste, context.tag_ids, context.tag_weights, context.creator_ids, context.creator_weights,
        context.statistics[:-1], "",
    )  # fmt: skip
    with pytest.raises(InvalidRequest):
        cross_columns(broken, table, np.arange(2), NOW_MS, (CROSS_AFFINITY,))
