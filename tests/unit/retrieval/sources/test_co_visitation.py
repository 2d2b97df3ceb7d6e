import numpy as np

from loopwright.featurespec.table import ItemTable
from loopwright.retrieval.sources.co_visitation import CoVisitation

from ..conftest import evidence, history_of, liked_graph

GRAPH = liked_graph((1, 2, 3), (1, 2), (1, 2, 4), (5, 6), (1, 777))


def test_the_items_of_those_who_liked_the_same_come_by_support(table: ItemTable) -> None:
    found = CoVisitation().propose(evidence(table, graph=GRAPH, history=history_of(1)), 10)
    assert found.item_ids.tolist() == [2, 3, 4]
    assert (np.diff(found.scores) <= 0).all()


def test_avoided_items_are_refilled_past_and_items_outside_the_catalogue_never_proposed(table: ItemTable) -> None:
    asked = evidence(table, graph=GRAPH, history=history_of(1), avoid=np.array([1, 2], np.uint64))
    assert CoVisitation().propose(asked, 1).item_ids.tolist() == [3]
    assert 777 not in CoVisitation().propose(asked, 10).item_ids.tolist()


def test_anchors_speak_for_a_user_without_history(table: ItemTable) -> None:
    assert len(CoVisitation().propose(evidence(table, graph=GRAPH), 10).item_ids) == 0
    asked = evidence(table, graph=GRAPH, anchors=np.array([5], np.uint64))
    assert CoVisitation().propose(asked, 10).item_ids.tolist() == [6]
