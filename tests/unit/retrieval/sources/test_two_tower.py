import numpy as np

from loopwright.featurespec.history import engaged_items, tower_input
from loopwright.featurespec.signals import tower_products
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.tower_content import tower_content
from loopwright.modelstore.models import TwoTower
from loopwright.retrieval.sources.two_tower import TwoTowerNeighbours

from ..conftest import evidence, history_of, indexed, withdraw


def test_the_nearest_items_by_inner_product_come_past_avoided_and_withdrawn_ones(
    table: ItemTable, tower: TwoTower
) -> None:
    withdraw(table, 40)
    asked = evidence(table, index=indexed(tower, table), history=history_of(3, 9), avoid=np.array([3, 9], np.uint64))
    user = tower.embed_user(*tower_input(engaged_items(history_of(3, 9)), tower.vocabulary))
    items = tower.embed_items(tower.vocabulary.codes(table.ids), tower_content(table, np.arange(100))[:, :16])
    scores = tower_products(user, items).scores
    order = [i for i in np.lexsort((table.ids, -scores)) if table.ids[i] not in (3, 9, 40)][:10]
    found = TwoTowerNeighbours().propose(asked, 10)
    assert found.item_ids.tolist() == table.ids[order].tolist()
    np.testing.assert_array_equal(found.scores, scores[order])


def test_without_a_model_there_are_no_neighbours(table: ItemTable) -> None:
    assert len(TwoTowerNeighbours().propose(evidence(table), 10).item_ids) == 0


def test_a_new_user_gets_a_list(table: ItemTable, tower: TwoTower) -> None:
    assert len(TwoTowerNeighbours().propose(evidence(table, index=indexed(tower, table)), 10).item_ids) == 10
