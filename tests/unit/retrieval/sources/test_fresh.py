import numpy as np

from loopwright.featurespec.table import ItemTable
from loopwright.retrieval.sources.fresh import Fresh

from ..conftest import DAY_MS, NOW_MS, evidence, upsert, withdraw


def aged(*days: float) -> ItemTable:
    table = ItemTable()
    for item, age in enumerate(days, 1):
        upsert(table, item, published_ms=int(NOW_MS - age * DAY_MS))
    return table


def test_items_younger_than_the_bundle_says_come_newest_first() -> None:
    found = Fresh().propose(evidence(aged(3, 1, 40, 29, 31)), 10)
    assert found.item_ids.tolist() == [2, 1, 4]
    np.testing.assert_allclose(found.scores, [1 / 2, 1 / 4, 1 / 30])


def test_the_newest_twentieth_counts_as_fresh_when_none_is_young() -> None:
    found = Fresh().propose(evidence(aged(*range(400, 460))), 10)
    assert found.item_ids.tolist() == [1, 2, 3]


def test_unpublished_yet_is_not_fresh_and_avoided_or_withdrawn_items_are_refilled_past() -> None:
    table = aged(-1, 1, 2, 3, 4)
    withdraw(table, 2)
    found = Fresh().propose(evidence(table, avoid=np.array([3], np.uint64)), 1)
    assert found.item_ids.tolist() == [4]


def test_items_of_one_age_come_by_id() -> None:
    assert Fresh().propose(evidence(aged(2, 2, 2)), 2).item_ids.tolist() == [1, 2]
