import pytest

from loopwright.faults import InvalidRequest
from loopwright.featurespec.groups import GROUPS, ITEM_GROUPS, USER_GROUPS, Entity, column_names, group, width


def test_there_are_enough_columns_and_each_says_what_it_means() -> None:
    assert width(USER_GROUPS) >= 16
    assert width(ITEM_GROUPS) >= 24
    for found in GROUPS.values():
        assert all(column.name and column.meaning for column in found.columns)
    names = column_names((*USER_GROUPS, *ITEM_GROUPS))
    assert len(set(names)) == len(names)


def test_an_unknown_group_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match=r"item_trend\.v9"):
        group("item_trend.v9")


def test_items_wait_for_both_stages_and_users_for_the_first() -> None:
    for found in GROUPS.values():
        assert found.stages == (("users",) if found.entity is Entity.USER else ("users", "items"))
