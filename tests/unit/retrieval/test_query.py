import numpy as np

from loopwright.featurespec.table import ItemTable
from loopwright.modelstore.models import TwoTower

from .conftest import evidence, history_of, indexed, withdraw


def test_barred_are_the_avoided_and_what_nobody_may_be_shown(table: ItemTable) -> None:
    withdraw(table, 7)
    asked = evidence(table, avoid=np.array([3, 4000], np.uint64))
    assert np.flatnonzero(asked.barred).tolist() == [2, 6]
    assert asked.barred_ids.tolist() == [3, 7, 4000]
    assert int((~asked.barred).sum()) == 98


def test_the_user_is_embedded_once_whoever_asks(table: ItemTable, tower: TwoTower) -> None:
    asked = evidence(table, index=indexed(tower, table), history=history_of(1))
    assert asked.user_embedding is asked.user_embedding
    assert evidence(table).user_embedding is None
