from __future__ import annotations

import pytest

from loopwright.faults import InvalidRequest
from loopwright.featurespec.groups import ITEM_GROUPS, USER_GROUPS, Entity
from loopwright.hydration.asked import asked_groups

USERS = frozenset({Entity.USER})
CANDIDATES = frozenset({Entity.ITEM, Entity.CROSS})


@pytest.mark.parametrize(("names", "entities"), [(USER_GROUPS, USERS), (ITEM_GROUPS, CANDIDATES), ((), USERS)])
def test_groups_come_in_the_order_that_was_asked(names, entities):
    assert [group.name for group in asked_groups(names, entities)] == list(names)


@pytest.mark.parametrize("wrong", ["unknown.v1", ITEM_GROUPS[0], USER_GROUPS[0]])
def test_an_unknown_misplaced_or_repeated_group_is_refused_with_its_place(wrong):
    with pytest.raises(InvalidRequest) as refused:
        asked_groups((USER_GROUPS[0], wrong), USERS)
    assert refused.value.violations[0].field == "groups[1]"
