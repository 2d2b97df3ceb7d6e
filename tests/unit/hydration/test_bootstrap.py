from __future__ import annotations

import pytest

from loopwright.bundle import default_bundle
from loopwright.domain.enums import ActionKind
from loopwright.eventlog import MemoryEventLog
from loopwright.featurespec.groups import ITEM_GROUPS, USER_GROUPS
from loopwright.hydration.bootstrap import bootstrap
from loopwright.hydration.config import HydrationSettings
from loopwright.lifecycle import MeshClock
from loopwright.pipeline.types import ItemQuery, UserQuery
from loopwright.store import keys

pytestmark = pytest.mark.integration
NOW_MS = 1_700_000_000_000
SUBJECT = bytes(range(16))


@pytest.fixture
def settings(redis_url, namespace):
    return HydrationSettings(redis_url=redis_url, redis_namespace=namespace, redis_timeout_ms=1000)


async def test_what_the_log_and_the_store_hold_is_served_from_the_start(
    settings, broker, fold_row, item_states, publish, redis, namespace, user_states, wall, ids, deadline
):
    await fold_row(item_states("a"))
    version = await publish(default_bundle())
    states = user_states(("a", ActionKind.LIKE, NOW_MS - 60_000))
    await redis.hset(keys.user_row(SUBJECT, namespace), mapping=states)
    for stage in ("users", "items"):
        await redis.set(keys.progress(stage, namespace), wall.ms)
    log = MemoryEventLog(broker, producer="hydration")
    async with bootstrap(settings, log, MeshClock(wall)) as hydration:
        user = await hydration.hydrator.user_context(
            UserQuery(version, SUBJECT, NOW_MS, USER_GROUPS, True, "r-1", 30.0), deadline
        )
        items = await hydration.hydrator.item_columns(
            ItemQuery(version, ids("a"), NOW_MS, ITEM_GROUPS, user.cross), deadline
        )
    assert user.acted.tolist() == ids("a").tolist()
    assert items.external_ids == ("a",)
    assert user.degradations == items.degradations == ()


async def test_an_item_row_that_only_the_store_has_is_found_there(
    settings, broker, item_states, publish, redis, namespace, wall, ids, deadline
):
    version = await publish(default_bundle())
    for item, group, state in item_states("new"):
        await redis.hset(keys.item_row(item, namespace), group, state)
    log = MemoryEventLog(broker, producer="hydration")
    async with bootstrap(settings, log, MeshClock(wall)) as hydration:
        user = await hydration.hydrator.user_context(
            UserQuery(version, SUBJECT, NOW_MS, USER_GROUPS, True, "", 30.0), deadline
        )
        query = ItemQuery(version, ids("new"), NOW_MS, ITEM_GROUPS, user.cross)
        assert (await hydration.hydrator.item_columns(query, deadline)).external_ids == ("new",)
