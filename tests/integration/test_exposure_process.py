"""Exposure as its own process, killed while Kafka is down: what it acknowledged is on the log when both are back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from loopwright.api.exposure.v1 import exposure_service_pb2 as pb
from loopwright.api.exposure.v1.exposure_service_pb2_grpc import ExposureServiceStub
from loopwright.domain.ids import decision_partition, logical_partition, make_decision_id
from loopwright.eventlog import ACTIONS, KafkaEventLog, Record, ensure_topics, replay
from loopwright.exposure.tokens import Claims, KeyRing, mint
from loopwright.faults import RemoteFault
from loopwright.lifecycle.development_keys import DEVELOPMENT_TOKEN_KEY
from loopwright.localmesh.kafka_server import KafkaServer
from loopwright.localmesh.ports import free_ports
from loopwright.rpc import open_channel
from tests.integration.processes import started

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(240)]
RING = KeyRing(1, {1: DEVELOPMENT_TOKEN_KEY.encode()})
SUBJECTS = [number.to_bytes(16, "big") for number in range(6)]
EXPIRES_S = 2**32 - 1


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[KafkaServer]:
    server = KafkaServer(tmp_path / "kafka")
    await server.start()
    await ensure_topics(server.bootstrap)
    yield server
    await server.stop()


def token(subject: bytes, item: int) -> str:
    decision = make_decision_id(1_700_000_000_000, subject, b"e" * 9)
    assert decision_partition(decision) == logical_partition(subject)
    return mint(Claims(decision, subject, item, 1, EXPIRES_S, "home"), RING)


async def report(stub: ExposureServiceStub, subject: bytes, number: int) -> None:
    act = pb.Action(exposure_token=token(subject, number), client_event_id=f"{number:06}", kind=1)  # type: ignore[arg-type]
    await stub.ReportActions(pb.ReportActionsRequest(actions=[act]), timeout=1.0)


async def until_served(stub: ExposureServiceStub, number: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                return await report(stub, SUBJECTS[0], number)
            except RemoteFault:
                await asyncio.sleep(0.2)


async def first_occurrences(log: KafkaEventLog) -> list[Record]:
    seen: dict[bytes, Record] = {}
    async for batch in replay(log, [ACTIONS]):
        for record in batch:
            seen.setdefault(record.event.event_id, record)
    return list(seen.values())


async def test_exposure_killed_while_kafka_is_down_loses_nothing_it_acknowledged(
    broker: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    environment = {
        "LOOPWRIGHT_EXPOSURE_KAFKA_BOOTSTRAP": broker.bootstrap,
        "LOOPWRIGHT_EXPOSURE_REDIS_URL": redis_url,
        "LOOPWRIGHT_EXPOSURE_REDIS_NAMESPACE": f"{uuid4().hex}:",
        "LOOPWRIGHT_EXPOSURE_RPC__PORT": str(port),
        "LOOPWRIGHT_EXPOSURE_OUTBOX_PATH": str(tmp_path / "outbox"),
        "LOOPWRIGHT_EXPOSURE_REPLICA": "exposure-7",
    }
    out = tmp_path / "exposure.log"
    acknowledged: dict[bytes, list[int]] = {subject: [] for subject in SUBJECTS}

    async def act(subject: bytes) -> None:
        """One user's actions, one after the other, until exposure is gone."""
        for number in range(10_000, 20_000):
            try:
                await report(stub, subject, number)
            except RemoteFault:
                return
            acknowledged[subject].append(number)
            await asyncio.sleep(0.02)

    async with open_channel(f"127.0.0.1:{port}") as channel:
        stub = ExposureServiceStub(channel)
        process = await started("loopwright.exposure.server", environment, out)
        await until_served(stub, 1)
        broker.send(signal.SIGKILL)
        acting = [asyncio.create_task(act(subject)) for subject in SUBJECTS]
        async with asyncio.timeout(30):
            while min(map(len, acknowledged.values())) < 20:
                await asyncio.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        await asyncio.gather(*acting)
        assert list((tmp_path / "outbox").glob("outbox-*.log"))
        await broker.start()
        process = await started("loopwright.exposure.server", environment, out)
        try:
            await until_served(stub, 2)
            async with KafkaEventLog.open(broker.bootstrap, producer="checker") as log, asyncio.timeout(30):
                while (depth := len(list((tmp_path / "outbox").glob("outbox-*.log")))) > 0:
                    await asyncio.sleep(0.1)
                assert depth == 0
                found = await first_occurrences(log)
        finally:
            process.terminate()
            assert await process.wait() == 0, out.read_text("utf-8")[-3000:]
    assert {record.event.replica for record in found} == {"exposure-7"}
    for subject, numbers in acknowledged.items():
        logged = [r.event.action_taken.item_id for r in found if r.key == subject and r.event.action_taken.item_id > 9]
        assert logged[: len(numbers)] == numbers  # all, once, in order; the last call may be there without its answer
        assert len(logged) <= len(numbers) + 1
