from __future__ import annotations

import asyncio

import pytest

from loopwright.domain.enums import Purpose
from loopwright.exposure.recent import RecentSlates
from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout
from loopwright.store import keys
from loopwright.store.connection import open_redis

pytestmark = pytest.mark.integration


@pytest.fixture
def recent(redis, clock, namespace):
    return RecentSlates(redis, clock.wall_ms, 1.0, namespace)


async def test_a_served_slate_is_remembered_with_its_wall_time(recent, redis, namespace, sample, clock, deadline):
    await recent.remember(sample.subject, [5, 2**64 - 1], Purpose.SERVE, deadline)
    found = await redis.zrange(keys.recent(sample.subject, namespace), 0, -1, withscores=True)
    assert dict(found) == {b"5": clock.ms, str(2**64 - 1).encode(): clock.ms}


async def test_items_older_than_ten_minutes_go_and_newer_ones_stay(recent, redis, namespace, sample, clock, deadline):
    await recent.remember(sample.subject, [1], Purpose.SERVE, deadline)
    clock.ms += keys.RECENT_MS // 2
    await recent.remember(sample.subject, [2], Purpose.SERVE, deadline)
    clock.ms += keys.RECENT_MS // 2 + 1
    await recent.remember(sample.subject, [3], Purpose.SERVE, deadline)
    found = await redis.zrange(keys.recent(sample.subject, namespace), 0, -1)
    assert sorted(found) == [b"2", b"3"]
    assert 0 < await redis.pttl(keys.recent(sample.subject, namespace)) <= keys.RECENT_MS


@pytest.mark.parametrize("purpose", [Purpose.EVALUATE, Purpose.SHADOW, Purpose.SIMULATE])
async def test_only_what_a_person_saw_is_remembered(recent, redis, namespace, sample, deadline, purpose):
    await recent.remember(sample.subject, [1], purpose, deadline)
    assert not await redis.exists(keys.recent(sample.subject, namespace))


async def test_a_store_that_is_away_is_told_to_the_caller(clock, sample, deadline):
    async with open_redis("redis://127.0.0.1:1/0", 0.5) as away:
        with pytest.raises(FeatureStoreDown):
            await RecentSlates(away, clock.wall_ms, 0.5).remember(sample.subject, [1], Purpose.SERVE, deadline)


async def test_a_frozen_store_costs_the_ceiling(clock, sample, deadline, frozen_store):
    async with open_redis(frozen_store, 0.02) as frozen, asyncio.timeout(2.0):
        with pytest.raises(FeatureStoreTimeout):
            await RecentSlates(frozen, clock.wall_ms, 0.02).remember(sample.subject, [1], Purpose.SERVE, deadline)
