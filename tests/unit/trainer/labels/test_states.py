import numpy as np
from tests.trainer_world import MINUTE_MS, START_MS, catalogue, collected, organic, rows, subject

from loopwright.domain.enums import ActionKind
from loopwright.featurespec.columns import candidate_columns, cross_context, user_columns
from loopwright.featurespec.facts import Fact, FactBatch
from loopwright.featurespec.folds.catalog import fold_catalog
from loopwright.featurespec.folds.facts import facts_of
from loopwright.featurespec.folds.users import UserFold
from loopwright.featurespec.groups import ITEM_GROUPS, USER_GROUPS
from loopwright.featurespec.table import ItemTable
from loopwright.trainer.dataset.pseudo import past_of
from loopwright.trainer.labels.states import catalogue_table

NOW_MS = START_MS + 10_000 * MINUTE_MS


def test_states_give_the_very_bits_that_serving_derives_from_the_events() -> None:
    items = catalogue(9)
    actions = [*rows(6, 9, 6), organic(0, 3, START_MS + 999 * MINUTE_MS, False, ActionKind.HIDE, rank=50)]
    folds = {subject(user): UserFold() for user in range(6)}
    live, facts = ItemTable(), list[Fact]()
    for event in items:
        fold_catalog(live, event)
    for event in actions:
        folds[event.organic_interaction.subject].apply(event)
        facts += facts_of(event)
    live.fold_facts(FactBatch.of(facts))

    evidence = collected(items, actions)
    past = past_of(evidence, np.ones(len(actions), np.bool_), evidence.views)
    table = past.fold_into(catalogue_table(evidence.catalogue, evidence.actions.item_ids))
    ids = table.ids
    for number, key in enumerate(sorted(folds)):
        served, learned = folds[key].state(), past.state(number)
        mine = user_columns(learned, table, NOW_MS, USER_GROUPS).columns
        assert mine.tobytes() == user_columns(served, live, NOW_MS, USER_GROUPS).columns.tobytes()
        ours = cross_context(learned, table, NOW_MS), cross_context(served, live, NOW_MS)
        one = candidate_columns(ours[0], table, table.rows_of(ids), NOW_MS, ITEM_GROUPS)
        two = candidate_columns(ours[1], live, live.rows_of(ids), NOW_MS, ITEM_GROUPS)
        assert one.columns.tobytes() == two.columns.tobytes()


def test_the_table_stands_by_item_id_whatever_the_order_of_events() -> None:
    items = [event.SerializeToString() for event in catalogue(7)]
    extra = np.array([3, 5], np.uint64)
    one, two = catalogue_table(items, extra), catalogue_table(items[::-1], extra)
    assert one.ids.tolist() == two.ids.tolist() == sorted(one.ids.tolist())
    assert len(one) == 9
    assert one.content.tobytes() == two.content.tobytes()
