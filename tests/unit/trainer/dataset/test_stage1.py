from tests.trainer_world import RECIPE, catalogue, collected, rows

from loopwright.featurespec.covisitation import Engagements, build_graph
from loopwright.featurespec.folds.covisitation import fold_engagement
from loopwright.trainer.dataset.stage1 import graph_of, learn_stage1
from loopwright.trainer.labels.states import catalogue_table
from loopwright.trainer.learning.histories import histories


def test_the_graph_is_the_one_that_retrieval_keeps() -> None:
    actions = rows(15, 10, 6)
    live = Engagements()
    for event in actions:
        fold_engagement(live, event)
    evidence = collected([], actions)
    assert graph_of(histories(evidence.actions, evidence.users)).digest() == build_graph(live.snapshot()).digest()


def test_the_vocabulary_is_every_engaged_item_ascending() -> None:
    evidence = collected(catalogue(12), rows(10, 8, 8))
    table = catalogue_table(evidence.catalogue, evidence.actions.item_ids)
    ids = learn_stage1(evidence.actions, evidence.users, table, RECIPE.towers, 1).towers.vocabulary.item_ids.tolist()
    assert ids == sorted(set(evidence.actions.item_ids.tolist()))
