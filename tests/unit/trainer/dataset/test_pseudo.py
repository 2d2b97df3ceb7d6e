from dataclasses import replace

import numpy as np
from tests.trainer_world import (
    MINUTE_MS,
    RECIPE,
    START_MS,
    bundle,
    catalogue,
    clicked,
    collected,
    organic,
    rows,
    viewed,
)

from loopwright.domain.enums import ActionKind
from loopwright.domain.ids import item_id
from loopwright.featurespec.users import guards_of
from loopwright.trainer.dataset.pseudo import labels_of, past_of, pseudo_decisions, split
from loopwright.trainer.dataset.stage1 import learn_stage1
from loopwright.trainer.labels.states import catalogue_table
from loopwright.trainer.learning.settings import ExampleSettings

NOW_MS = START_MS + 9_999 * MINUTE_MS


def test_every_user_is_cut_at_four_fifths_of_the_rows_that_teach() -> None:
    evidence = collected(catalogue(12), rows(5, 12, 10), [organic(0, 11, NOW_MS, True, rank=99)])
    parts = split(evidence, ~evidence.actions.judge, 0.8)
    assert np.diff(parts.before.starts).tolist() == [8] * 5
    assert np.bincount(parts.after.users).tolist() == [2] * 5
    assert not parts.before.actions.judge.any()
    assert not parts.after.judge.any()
    for user in range(5):
        mine = parts.before.actions.users == user
        assert parts.before.actions.times_ms[mine].max() < parts.after.times_ms[parts.after.users == user].min()


def test_only_engagements_after_the_cut_label() -> None:
    actions = [organic(0, item, START_MS + item, True, rank=item) for item in range(8)]
    actions += [organic(0, 8, START_MS + 8, False, ActionKind.SKIP, rank=8)]
    actions += [organic(0, 9, START_MS + 9, True, rank=9)]
    parts = split(collected([], actions), np.ones(10, np.bool_), 0.8)
    assert parts.after.item_ids.tolist() == [item_id("9")]


def test_labels_say_engaged_and_satisfied() -> None:
    ids = np.array([1, 2, 3], np.uint64)
    engaged = np.array([2, 3, 9], np.uint64)
    assert labels_of(ids, engaged, np.array([False, True, True])).tolist() == [0, 1, 2]


def test_decisions_hold_open_candidates_with_the_labels_of_later_rows() -> None:
    evidence = collected(catalogue(20), rows(12, 20, 10))
    fit = ~evidence.actions.judge
    table = catalogue_table(evidence.catalogue, evidence.actions.item_ids)
    parts = split(evidence, fit, 0.8)
    stage1 = learn_stage1(parts.before.actions, evidence.users, table, RECIPE.towers, 1)
    found = list(pseudo_decisions(parts, table, stage1, bundle(), NOW_MS, RECIPE.examples, 1))
    assert len(found) == 12
    assert all(len(decision.labels) == 20 - 8 for decision in found)
    assert [int((decision.labels > 0).sum()) for decision in found] == [2] * 12
    assert not any(decision.slate for decision in found)
    fewer = list(pseudo_decisions(parts, table, stage1, bundle(), NOW_MS, ExampleSettings(most_decisions=5), 1))
    assert len(fewer) == 5


def test_a_user_with_one_row_is_decided_for_as_a_new_one() -> None:
    evidence = collected(catalogue(6), rows(6, 6, 1))
    parts = split(evidence, ~evidence.actions.judge, 0.8)
    assert len(parts.before.actions) == 0
    assert len(parts.after) == 6


def test_what_a_slate_caused_counts_for_items_and_labels_nothing() -> None:
    evidence = collected(catalogue(20), rows(12, 20, 10))
    slate = np.zeros(len(evidence.actions), np.bool_)
    newest = int(np.flatnonzero(evidence.actions.users == 0)[-1])
    slate[newest] = True
    evidence = replace(evidence, actions=replace(evidence.actions, slate=slate))
    clicked = evidence.actions.item_ids[newest]
    table = catalogue_table(evidence.catalogue, evidence.actions.item_ids)
    parts = split(evidence, ~evidence.actions.judge, 0.8)
    assert parts.caused.item_ids.tolist() == [clicked]
    assert not parts.before.actions.slate.any()
    assert not parts.after.slate.any()
    row = table.rows_of(np.array([clicked]))
    assert parts.items(table).engagements[row] == parts.before.fold_into(table).engagements[row] + 1
    stage1 = learn_stage1(parts.before.actions, evidence.users, table, RECIPE.towers, 1)
    first = next(pseudo_decisions(parts, table, stage1, bundle(), NOW_MS, RECIPE.examples, 1))
    # Nine organic rows, seven of them before the cut: of twenty items the clicked one is neither label nor negative.
    assert len(first.labels) == 20 - 7 - 1
    assert int((first.labels > 0).sum()) == 2


def test_a_past_can_be_asked_for_an_earlier_state_and_for_what_came_since() -> None:
    clicks = [clicked(0, 3, START_MS + 2 * MINUTE_MS), clicked(0, 4, START_MS + 4 * MINUTE_MS)]
    views = [viewed(0, 5, START_MS + MINUTE_MS), viewed(0, 6, START_MS + 3 * MINUTE_MS)]
    evidence = collected(catalogue(8), [organic(0, 1, START_MS, True)], views=views, clicks=clicks)
    past = past_of(evidence, ~evidence.actions.judge, evidence.views)
    ids = {item: item_id(str(item)) for item in (1, 3, 4, 5, 6)}
    assert sorted(past.state(0).history.acted.tolist()) == sorted(ids[item] for item in (1, 3, 4))
    earlier = past.state(0, START_MS + 3 * MINUTE_MS)
    assert sorted(earlier.history.acted.tolist()) == sorted(ids[item] for item in (1, 3))
    guards = guards_of(earlier, NOW_MS, 30.0)
    assert guards.viewed.tolist() == [ids[5]]
    assert sorted(past.touched_since(0, START_MS + 3 * MINUTE_MS).tolist()) == sorted([ids[4], ids[6]])
