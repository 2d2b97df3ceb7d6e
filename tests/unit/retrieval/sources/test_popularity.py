import numpy as np

from loopwright.featurespec.table import ItemTable
from loopwright.retrieval.sources.popularity import Popularity

from ..conftest import evidence, upsert, withdraw


def test_the_most_engaged_items_come_first_and_avoided_ones_are_refilled_past(table: ItemTable) -> None:
    withdraw(table, 99)
    found = Popularity().propose(evidence(table, avoid=np.array([100, 98, 12345], np.uint64)), 3)
    assert found.item_ids.tolist() == [97, 96, 95]
    assert found.scores.tolist() == [97, 96, 95]


def test_a_new_catalogue_without_interactions_fills_a_list_by_id() -> None:
    table = ItemTable()
    for item in (30, 10, 20):
        upsert(table, item)
    assert Popularity().propose(evidence(table), 5).item_ids.tolist() == [10, 20, 30]
