import numpy as np
from tests.trainer_world import START_MS, organic

from loopwright.domain.enums import ActionKind
from loopwright.trainer.labels.actions import ActionRows


def _ordered(events, numbers):  # type: ignore[no-untyped-def]
    rows = ActionRows()
    for user, event in events:
        rows.add(user, event, "organic_interaction", False)
    return rows.ordered(np.array(numbers, dtype=np.int64))


def test_equal_times_stand_in_the_order_of_the_clients_ids() -> None:
    events = [(0, organic(0, item, START_MS, True, rank=rank)) for item, rank in ((7, 2), (8, 0), (9, 1))]
    later = (0, organic(0, 5, START_MS + 1, True, rank=0))
    first = _ordered([later, *events], [0])
    again = _ordered([*reversed(events), later], [0])
    assert first.item_ids.tolist() == again.item_ids.tolist()
    assert first.times_ms.tolist() == [START_MS] * 3 + [START_MS + 1]
    ids = {item: organic(0, item, 0, True).organic_interaction.item_id for item in (5, 7, 8, 9)}
    assert first.item_ids.tolist() == [ids[8], ids[9], ids[7], ids[5]]


def test_users_without_a_number_leave_no_rows() -> None:
    found = _ordered([(0, organic(0, 1, START_MS, True)), (1, organic(1, 2, START_MS, True))], [-1, 0])
    assert found.users.tolist() == [0]
    assert found.item_ids.tolist() == [organic(1, 2, 0, True).organic_interaction.item_id]


def test_engagements_and_negative_actions_are_told_apart() -> None:
    kinds = (ActionKind.CLICK, ActionKind.HIDE, ActionKind.SKIP)
    found = _ordered([(0, organic(0, 1, START_MS + k, False, kind)) for k, kind in enumerate(kinds)], [0])
    assert found.engaged.tolist() == [True, False, False]
    assert found.negative.tolist() == [False, True, False]
