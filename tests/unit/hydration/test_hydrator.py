from __future__ import annotations

import pytest

from loopwright.bundle import default_bundle
from loopwright.faults import BundleNotLoaded
from loopwright.featurespec.columns import cross_context
from loopwright.featurespec.groups import ITEM_GROUPS, USER_GROUPS
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import EMPTY_USER
from loopwright.hydration.hydrator import Hydrator
from loopwright.pipeline.types import ItemQuery, UserQuery

NOW_MS = 1_700_000_000_000
KNOWN = "p" * 64


@pytest.fixture
def hydrator(user_side, item_side):
    return Hydrator(user_side, item_side, {KNOWN: default_bundle()}.get)


def user_query(version):
    return UserQuery(version, bytes(16), NOW_MS, USER_GROUPS, True, "", 30.0)


def item_query(version, ids):
    return ItemQuery(version, ids("a"), NOW_MS, ITEM_GROUPS, cross_context(EMPTY_USER, ItemTable(), NOW_MS))


async def test_a_published_policy_is_served(hydrator, ids, deadline):
    assert (await hydrator.user_context(user_query(KNOWN), deadline)).degradations == ()
    assert (await hydrator.item_columns(item_query(KNOWN, ids), deadline)).external_ids == ("a",)


async def test_a_policy_that_is_not_published_here_is_refused(hydrator, ids, memory_rows, deadline):
    with pytest.raises(BundleNotLoaded) as refused:
        await hydrator.user_context(user_query("q" * 64), deadline)
    assert refused.value.metadata == {"policy_version": "q" * 64}
    with pytest.raises(BundleNotLoaded):
        await hydrator.item_columns(item_query("q" * 64, ids), deadline)
    assert memory_rows.calls == []


async def test_the_user_calls_cross_context_is_what_the_item_call_takes(
    hydrator, user_states, memory_rows, ids, deadline
):
    user = await hydrator.user_context(user_query(KNOWN), deadline)
    query = ItemQuery(KNOWN, ids("a", "b"), NOW_MS, ITEM_GROUPS, user.cross)
    assert len((await hydrator.item_columns(query, deadline)).columns) == 2
