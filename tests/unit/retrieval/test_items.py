import numpy as np

from loopwright.domain.ids import name_id
from loopwright.featurespec.table import ItemTable
from loopwright.retrieval.items import ItemSnapshots, take_snapshot

from .conftest import DAY_MS, HOUR_MS, NOW_MS, interact, upsert, withdraw


def test_a_snapshot_is_sorted_by_id_and_later_changes_do_not_reach_it(table: ItemTable) -> None:
    snapshot = take_snapshot(table, NOW_MS)
    np.testing.assert_array_equal(snapshot.ids, np.arange(1, 101))
    before = snapshot.popularity.copy()
    interact(table, 1, times=1000)
    upsert(table, 500)
    np.testing.assert_array_equal(snapshot.popularity, before)
    np.testing.assert_array_equal(snapshot.rows_of(np.array([3, 500], np.uint64)), [2, -1])


def test_an_item_has_its_creators_id_and_0_where_none_is_named() -> None:
    table = ItemTable()
    for item, creator in ((3, "ann"), (1, ""), (2, "bob")):
        upsert(table, item, creator=creator)
    assert take_snapshot(table, NOW_MS).creator_ids.tolist() == [0, name_id("bob"), name_id("ann")]


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


def test_a_snapshot_after_changes_is_the_one_that_would_be_taken_anew(table: ItemTable) -> None:
    snapshots = ItemSnapshots(table)
    snapshots.at(NOW_MS).newest()

    def agrees() -> bool:
        patched, anew = snapshots.at(NOW_MS), take_snapshot(table, NOW_MS - NOW_MS % HOUR_MS)
        names = ("ids", "eligibility", "creator_ids", "born_ms", "popularity", "trending")
        newest = all((one == other).all() for one, other in zip(patched.newest(), anew.newest(), strict=True))
        return newest and all((getattr(patched, name) == getattr(anew, name)).all() for name in names)

    before = snapshots.at(NOW_MS)
    interact(table, 7, times=3)
    assert agrees() and snapshots.at(NOW_MS).popularity[6] == before.popularity[6] + 3
    withdraw(table, 9)
    assert agrees() and 8 not in snapshots.at(NOW_MS).newest()[0]
    upsert(table, 500, published_ms=NOW_MS - 5)
    assert agrees() and snapshots.at(NOW_MS).ids[-1] == 500


def test_the_leading_rows_are_those_of_the_highest_values_that_somebody_may_see(table: ItemTable) -> None:
    interact(table, 40, times=500)
    interact(table, 41, times=400)
    interact(table, 42, times=600)
    withdraw(table, 42)
    snapshot = take_snapshot(table, NOW_MS)
    assert snapshot.leading("popularity")[:2].tolist() == [39, 40]
    assert snapshot.leading("trending")[:2].tolist() == [39, 40]
    assert 41 not in snapshot.leading("popularity")
