from __future__ import annotations

import asyncio

import pytest

from loopwright.exposure.answers import CLAIMED_MS, KEPT_MS, RedisAnswers
from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout
from loopwright.rpc import Deadline
from loopwright.store import keys
from loopwright.store.client import open_store

pytestmark = pytest.mark.integration


async def test_the_first_claim_wins_and_later_ones_get_its_answer(answers, sample, deadline):
    assert await answers.claim(sample.subject, "r", b"first", deadline) is None
    assert await answers.claim(sample.subject, "r", b"second", deadline) == b"first"
    assert await answers.claim(sample.subject, "other", b"second", deadline) is None


async def test_a_forgotten_claim_can_be_made_again(answers, sample, deadline):
    await answers.claim(sample.subject, "r", b"first", deadline)
    await answers.forget(sample.subject, "r", b"first")
    assert await answers.claim(sample.subject, "r", b"second", deadline) is None


async def test_what_is_no_longer_the_claim_is_not_forgotten(answers, sample, deadline):
    await answers.claim(sample.subject, "r", b"first", deadline)
    await answers.keep(sample.subject, "r", b"answer", (), deadline)
    await answers.forget(sample.subject, "r", b"first")
    assert await answers.claim(sample.subject, "r", b"second", deadline) == b"answer"


@pytest.mark.parametrize(("budget_s", "lasts_ms"), [(0.1, CLAIMED_MS), (5.0, 5_500), (3600.0, KEPT_MS)])
async def test_a_claim_outlasts_its_append_and_ends_soon_after(answers, redis, namespace, sample, budget_s, lasts_ms):
    await answers.claim(sample.subject, "r", b"first", Deadline.after(budget_s))
    left = await redis.pttl(keys.stored_answer(sample.subject, "r", namespace))
    assert lasts_ms - 1_000 < left <= lasts_ms


async def test_an_answer_is_kept_for_a_minute(answers, redis, namespace, sample, deadline):
    await answers.claim(sample.subject, "r", b"first", deadline)
    await answers.keep(sample.subject, "r", b"answer", (), deadline)
    left = await redis.pttl(keys.stored_answer(sample.subject, "r", namespace))
    assert KEPT_MS - 5_000 < left <= KEPT_MS


async def test_a_store_that_is_away_is_a_typed_fault(sample):
    async with open_store("redis://127.0.0.1:1/0", 0.5) as away:
        with pytest.raises(FeatureStoreDown):
            await RedisAnswers(away, lambda: 0).claim(sample.subject, "r", b"x", Deadline.after(2.0))


async def test_what_is_served_is_guarded_with_its_wall_time(answers, redis, namespace, sample, clock, deadline):
    await answers.keep(sample.subject, "r", b"answer", [5, 2**64 - 1], deadline)
    found = await redis.zrange(keys.recent(sample.subject, namespace), 0, -1, withscores=True)
    assert dict(found) == {b"5": clock.ms, str(2**64 - 1).encode(): clock.ms}
    assert await redis.get(keys.stored_answer(sample.subject, "r", namespace)) == b"answer"


async def test_items_older_than_ten_minutes_go_and_newer_ones_stay(answers, redis, namespace, sample, clock, deadline):
    for number, wait_ms in enumerate([keys.RECENT_MS // 2, keys.RECENT_MS // 2 + 1, 0]):
        await answers.keep(sample.subject, "r", b"answer", [number], deadline)
        clock.ms += wait_ms
    found = await redis.zrange(keys.recent(sample.subject, namespace), 0, -1)
    assert sorted(found) == [b"1", b"2"]
    assert 0 < await redis.pttl(keys.recent(sample.subject, namespace)) <= keys.RECENT_MS


async def test_a_slate_that_serves_nobody_guards_nothing(answers, redis, namespace, sample, deadline):
    await answers.keep(sample.subject, "r", b"answer", (), deadline)
    assert not await redis.exists(keys.recent(sample.subject, namespace))


async def test_an_answer_too_long_to_be_stored_leaves_its_items_guarded(answers, redis, namespace, sample, deadline):
    await answers.keep(sample.subject, "r", None, [1], deadline)
    assert await redis.exists(keys.recent(sample.subject, namespace))
    assert not await redis.exists(keys.stored_answer(sample.subject, "r", namespace))


async def test_keeping_in_a_store_that_is_away_is_a_typed_fault(sample, deadline):
    async with open_store("redis://127.0.0.1:1/0", 0.5) as away:
        with pytest.raises(FeatureStoreDown):
            await RedisAnswers(away, lambda: 0).keep(sample.subject, "r", b"x", [1], deadline)


async def test_keeping_in_a_frozen_store_costs_the_ceiling(sample, deadline, frozen_store):
    async with open_store(frozen_store, 0.02) as frozen, asyncio.timeout(2.0):
        with pytest.raises(FeatureStoreTimeout):
            await RedisAnswers(frozen, lambda: 0).keep(sample.subject, "r", b"x", [1], deadline)
