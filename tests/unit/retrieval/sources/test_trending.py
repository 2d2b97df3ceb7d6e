import numpy as np

from loopwright.featurespec.table import ItemTable
from loopwright.retrieval.sources.trending import Trending

from ..conftest import DAY_MS, NOW_MS, evidence, interact, upsert


def test_recent_engagement_beats_more_of_it_long_ago() -> None:
    table = ItemTable()
    for item, times, days in ((1, 30, 35), (2, 10, 1), (3, 4, 1)):
        upsert(table, item)
        interact(table, item, times=times, at_ms=NOW_MS - days * DAY_MS)
    upsert(table, 4)
    found = Trending().propose(evidence(table), 10)
    assert found.item_ids.tolist() == [2, 3, 1]
    assert (np.diff(found.scores) < 0).all()


def test_a_like_counts_twice_and_avoided_items_are_refilled_past() -> None:
    table = ItemTable()
    for item in (1, 2, 3):
        upsert(table, item)
        interact(table, item, times=2, liked=item == 2)
    assert Trending().propose(evidence(table), 10).item_ids.tolist() == [2, 1, 3]
    assert Trending().propose(evidence(table, avoid=np.array([2], np.uint64)), 2).item_ids.tolist() == [1, 3]


def test_what_happens_after_the_decision_does_not_trend_yet() -> None:
    table = ItemTable()
    upsert(table, 1)
    interact(table, 1, at_ms=NOW_MS + 2 * DAY_MS)
    assert len(Trending().propose(evidence(table), 10).item_ids) == 0
