"""Over real gRPC: what the caller gets when a record cannot be made durable, or is not durable yet."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from loopwright.api.exposure.v1 import exposure_service_pb2 as exposure_pb
from loopwright.eventlog import ACTIONS, DECISIONS, DurableWriter, MemoryBroker, MemoryEventLog, Outbox, OutboxSettings
from loopwright.eventlog.memory_disk import MemoryDisk
from loopwright.faults import Kind, LogUnavailable, RemoteFault
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.composition import OneProcess
from loopwright.pipeline.convert.answer import HASH_BYTES, pack_pending
from loopwright.store import keys
from tests.mesh.served import Served, served
from tests.mesh.world import dice, message, request


@pytest.fixture
async def found(mesh: OneProcess) -> AsyncIterator[Served]:
    async with served(mesh, dice()) as made:
        yield made


async def test_a_full_disk_in_an_outage_is_told_as_such_and_over_when_there_is_room(
    mesh: OneProcess, found: Served
) -> None:
    shown = (await found.recommender.Recommend(message(number=1), timeout=20)).items[0]
    act = exposure_pb.Action(exposure_token=shown.exposure_token, client_event_id="a1", kind=1)
    report = exposure_pb.ReportActionsRequest(actions=[act])
    away, disk = MemoryBroker(), MemoryDisk(capacity=0)
    away.outage = LogUnavailable()
    outbox = Outbox(disk, away.partitions, OutboxSettings(commit_interval_s=0))
    async with outbox.running(), DurableWriter(MemoryEventLog(away, producer="exposure"), outbox) as writer:
        mesh.exposure.ledger._appender = mesh.exposure.feedback._appender = writer
        for call in (
            found.recommender.Recommend(message(number=2), timeout=20),
            found.exposure.ReportActions(report, timeout=20),
        ):
            with pytest.raises(RemoteFault) as caught:
                await call
            assert (caught.value.kind, caught.value.reason) == (Kind.RESOURCE_EXHAUSTED, "OUTBOX_FULL")
            assert caught.value.retryable and caught.value.retry_after_s == 1.0
        disk.capacity = 1 << 30
        answer = await found.recommender.Recommend(message(number=2), timeout=20)
        assert (answer.replayed, len(answer.items)) == (False, 10)
        assert not (await found.exposure.ReportActions(report, timeout=20)).receipts[0].duplicate
        away.outage = None
    assert [e.slate_decided.decision_id.hex() for e in away.records(DECISIONS)] == [answer.decision_id]
    assert len(away.records(ACTIONS)) == 1


async def test_an_answer_whose_record_is_not_durable_yet_is_not_told_but_asked_for_again(
    mesh: OneProcess, found: Served, clock: FixedClock
) -> None:
    asked = request(number=1)
    volatile = mesh.exposure.ledger._answers._volatile  # type: ignore[attr-defined]
    key = keys.stored_answer(asked.subject, asked.request_id)
    volatile.store(key, pack_pending(asked.request_hash, b"d" * 16))  # of a decider that died
    with pytest.raises(RemoteFault) as caught:
        await found.recommender.Recommend(message(number=1), timeout=2)
    assert (caught.value.kind, caught.value.reason) == (Kind.UNAVAILABLE, "ANSWER_PENDING")
    assert caught.value.retry_after_s == 0.5
    assert mesh.broker.records(DECISIONS) == []
    volatile.forget(key)
    answer = await found.recommender.Recommend(message(number=1), timeout=20)
    assert not answer.replayed
    volatile.store(key, pack_pending(bytes(HASH_BYTES), b"d" * 16))
    with pytest.raises(RemoteFault) as reused:
        await found.recommender.Recommend(message(number=1), timeout=2)
    assert reused.value.reason == "REQUEST_ID_REUSED"
