import numpy as np

from loopwright.featurespec.table import ItemTable
from loopwright.retrieval.items import ItemSnapshots, take_snapshot

from .conftest import DAY_MS, HOUR_MS, NOW_MS, interact, upsert


def test_a_snapshot_is_sorted_by_id_and_later_changes_do_not_reach_it(table: ItemTable) -> None:
    snapshot = take_snapshot(table, NOW_MS)
    np.testing.assert_array_equal(snapshot.ids, np.arange(1, 101))
    before = snapshot.popularity.copy()
    interact(table, 1, times=1000)
    upsert(table, 500)
    np.testing.assert_array_equal(snapshot.popularity, before)
    np.testing.assert_array_equal(snapshot.rows_of(np.array([3, 500], np.uint64)), [2, -1])


def test_snapshots_are_taken_anew_only_when_items_or_the_hour_change(table: ItemTable) -> None:
    snapshots = ItemSnapshots(table)
    first = snapshots.at(NOW_MS)
    assert snapshots.at(NOW_MS + 1) is first
    assert snapshots.at(NOW_MS + HOUR_MS) is not first
    assert snapshots.at(NOW_MS) is first
    interact(table, 1)
    assert snapshots.at(NOW_MS) is not first


def test_what_happened_after_the_time_of_the_decision_is_left_out(table: ItemTable) -> None:
    before = take_snapshot(table, NOW_MS)
    interact(table, 5, times=50, at_ms=NOW_MS + 2 * DAY_MS, liked=True)
    after = take_snapshot(table, NOW_MS)
    np.testing.assert_array_equal(after.popularity, before.popularity)
    np.testing.assert_allclose(after.trending, before.trending)
    assert take_snapshot(table, NOW_MS + 3 * DAY_MS).popularity[4] == before.popularity[4] + 100


def test_an_item_is_born_when_published_else_when_first_stated_or_touched() -> None:
    table = ItemTable()
    upsert(table, 1, published_ms=-DAY_MS * 4000, stated_ms=NOW_MS)
    upsert(table, 2, stated_ms=NOW_MS - DAY_MS)
    upsert(table, 3, stated_ms=NOW_MS - DAY_MS)
    interact(table, 3, at_ms=NOW_MS - 9 * DAY_MS)
    born = take_snapshot(table, NOW_MS).born_ms
    assert born.tolist() == [-DAY_MS * 4000, NOW_MS - DAY_MS, NOW_MS - 9 * DAY_MS]


def test_an_empty_table_has_an_empty_snapshot() -> None:
    snapshot = take_snapshot(ItemTable(), NOW_MS)
    assert len(snapshot.ids) == 0
    assert snapshot.rows_of(np.array([1], np.uint64)).tolist() == [-1]
