from __future__ import annotations

import asyncio

import pytest

from loopwright.eventlog import DECISIONS, FUNNELS, MemoryEventLog
from loopwright.exposure.bootstrap import bootstrap
from loopwright.exposure.config import ExposureSettings
from loopwright.faults import LogUnavailable
from loopwright.lifecycle import MeshClock

pytestmark = pytest.mark.integration


@pytest.fixture
def clock(sample):
    return MeshClock(lambda: sample.now_ms)


@pytest.fixture
def log(broker):
    return MemoryEventLog(broker, producer="exposure")


@pytest.fixture
def settings(redis_url, namespace):
    return ExposureSettings(redis_url=redis_url, redis_namespace=namespace, redis_timeout_ms=1000)


async def test_a_slate_is_answered_through_an_outage_and_its_record_follows_once(
    settings, log, broker, clock, decided, deadline, tmp_path
):
    lasting = settings.model_copy(update={"outbox_path": tmp_path / "outbox"})
    broker.outage = LogUnavailable()
    async with bootstrap(lasting, log, clock) as exposure:
        settled = await exposure.ledger.record(*decided(funnel=True), deadline)
        assert all(item.exposure_token for item in settled.items)
        assert settled.degradations == ()
        assert broker.records(DECISIONS) == []
        broker.outage = None
    (event,) = broker.records(DECISIONS)
    assert event.slate_decided.decision_id == settled.decision_id
    assert len(broker.records(FUNNELS)) == 1


async def test_what_a_process_left_in_its_outbox_the_next_one_sends(
    settings, log, broker, clock, decided, deadline, tmp_path
):
    lasting = settings.model_copy(update={"outbox_path": tmp_path / "outbox"})
    broker.outage = LogUnavailable()
    async with bootstrap(lasting, log, clock) as exposure:
        await exposure.ledger.record(*decided(), deadline)
    assert broker.records(DECISIONS) == []
    broker.outage = None
    async with bootstrap(lasting, log, clock):
        pass
    assert len(broker.records(DECISIONS)) == 1


async def test_without_an_outbox_an_outage_gives_no_slate(settings, log, broker, clock, decided, deadline):
    broker.outage = LogUnavailable()
    async with bootstrap(settings, log, clock) as exposure:
        with pytest.raises(LogUnavailable):
            await exposure.ledger.record(*decided(), deadline)


async def test_a_stop_waits_for_the_record_of_a_call_that_is_gone(
    settings, log, broker, clock, decided, deadline, monkeypatch
):
    begun, let_go, append = asyncio.Event(), asyncio.Event(), log.append

    async def held(*args, **kwargs):
        begun.set()
        await let_go.wait()
        return await append(*args, **kwargs)

    monkeypatch.setattr(log, "append", held)
    first = decided(entropy=b"1" * 9)
    async with bootstrap(settings, log, clock) as exposure:
        call = asyncio.create_task(exposure.ledger.record(*first, deadline))
        await begun.wait()
        call.cancel()
        await asyncio.wait([call])
        assert broker.records(DECISIONS) == []
        asyncio.get_running_loop().call_later(0.05, let_go.set)
    assert len(broker.records(DECISIONS)) == 1
    async with bootstrap(settings, log, clock) as exposure:
        again = await exposure.ledger.record(*decided(entropy=b"2" * 9), deadline)
    assert (again.replayed, again.decision_id) == (True, first[0].decision_id)
    assert len(broker.records(DECISIONS)) == 1
