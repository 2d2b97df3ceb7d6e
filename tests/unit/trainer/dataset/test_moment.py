import numpy as np
from tests.trainer_world import MINUTE_MS, RECIPE, START_MS, bundle, catalogue, collected, rows

from loopwright.featurespec.columns import candidate_columns, cross_context, user_columns
from loopwright.trainer.dataset.moment import Moment
from loopwright.trainer.dataset.pseudo import past_of
from loopwright.trainer.dataset.stage1 import learn_stage1
from loopwright.trainer.labels.states import catalogue_table

NOW_MS = START_MS + 5_000 * MINUTE_MS


def test_kept_item_columns_are_those_derived_for_each_request() -> None:
    evidence = collected(catalogue(15), rows(10, 15, 6))
    past = past_of(evidence, np.ones(len(evidence.actions), np.bool_), evidence.views)
    table = past.fold_into(catalogue_table(evidence.catalogue, evidence.actions.item_ids))
    stage1 = learn_stage1(evidence.actions, evidence.users, table, RECIPE.towers, 1)
    state, features = past.state(3), bundle().features
    found = Moment(table, stage1, bundle(), NOW_MS).inputs(state)
    context = cross_context(state, table, NOW_MS)
    wanted = candidate_columns(context, table, table.rows_of(found.item_ids), NOW_MS, features.item)
    assert found.item_columns.tobytes() == wanted.columns.tobytes()
    assert found.user_columns.tobytes() == user_columns(state, table, NOW_MS, features.user).columns.tobytes()
