from __future__ import annotations

import pytest

from loopwright.exposure.answers import KEPT_MS, RedisAnswers
from loopwright.faults import FeatureStoreDown
from loopwright.rpc import Deadline
from loopwright.store import keys
from loopwright.store.connection import open_redis

pytestmark = pytest.mark.integration


async def test_the_first_claim_wins_and_later_ones_get_its_answer(answers, sample, deadline):
    assert await answers.claim(sample.subject, "r", b"first", deadline) is None
    assert await answers.claim(sample.subject, "r", b"second", deadline) == b"first"
    assert await answers.claim(sample.subject, "other", b"second", deadline) is None


async def test_a_forgotten_claim_can_be_made_again(answers, sample, deadline):
    await answers.claim(sample.subject, "r", b"first", deadline)
    await answers.forget(sample.subject, "r")
    assert await answers.claim(sample.subject, "r", b"second", deadline) is None


async def test_a_claim_ends_by_itself_after_a_minute(answers, redis, namespace, sample, deadline):
    await answers.claim(sample.subject, "r", b"first", deadline)
    left = await redis.pttl(keys.stored_answer(sample.subject, "r", namespace))
    assert 0 < left <= KEPT_MS


async def test_a_store_that_is_away_is_a_typed_fault(sample):
    async with open_redis("redis://127.0.0.1:1/0", 0.5) as away:
        with pytest.raises(FeatureStoreDown):
            await RedisAnswers(away, 0.5).claim(sample.subject, "r", b"x", Deadline.after(2.0))
