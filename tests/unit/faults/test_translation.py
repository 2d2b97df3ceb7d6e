from __future__ import annotations

import asyncio

import pytest

from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout, InvalidRequest, translate

_TABLE = {TimeoutError: FeatureStoreTimeout, OSError: FeatureStoreDown}


def test_the_first_matching_entry_wins_and_the_cause_is_kept() -> None:
    foreign = TimeoutError("10.0.0.1 took too long")  # a TimeoutError is an OSError too
    with pytest.raises(FeatureStoreTimeout) as caught, translate(_TABLE):
        raise foreign
    assert caught.value.__cause__ is foreign
    assert "10.0.0.1" not in str(caught.value)


def test_a_subclass_matches_its_parents_entry() -> None:
    with pytest.raises(FeatureStoreDown), translate(_TABLE):
        raise ConnectionRefusedError


def test_our_own_faults_and_unlisted_exceptions_pass() -> None:
    with pytest.raises(InvalidRequest), translate({Exception: FeatureStoreDown}):
        raise InvalidRequest()
    with pytest.raises(KeyError), translate(_TABLE):
        raise KeyError("x")


async def test_it_works_around_awaits_and_lets_cancellation_pass() -> None:
    async def work() -> None:
        with translate({Exception: FeatureStoreDown}):
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
