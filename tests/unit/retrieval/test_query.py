import numpy as np
import pytest

from loopwright.featurespec.table import ItemTable
from loopwright.modelstore.models import TwoTower
from loopwright.retrieval import items as items_room
from loopwright.retrieval import query as query_room

from .conftest import evidence, history_of, indexed, interact, withdraw


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


def test_the_highest_are_refilled_past_all_that_stands_ready(table: ItemTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for item in range(1, 101):
        interact(table, item, times=2 * item + 500)
    whole = evidence(table, avoid=np.array([100, 99, 97], np.uint64))
    expected = whole.items.ids[whole.highest("popularity", 20)].tolist()
    assert expected[:3] == [98, 96, 95] and len(expected) == 20
    monkeypatch.setattr(items_room, "LEADING", 5)
    monkeypatch.setattr(query_room, "LEADING", 5)
    few = evidence(table, avoid=np.array([100, 99, 97], np.uint64))
    assert few.items.ids[few.highest("popularity", 2)].tolist() == expected[:2]
    assert few.items.ids[few.highest("popularity", 20)].tolist() == expected
