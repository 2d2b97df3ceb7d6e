import os
import signal
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from loopwright.localmesh.failures import ArtefactRefused
from loopwright.localmesh.kafka_server import KafkaServer

pytestmark = pytest.mark.integration


async def produced(bootstrap: str, topic: str, value: bytes) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 4, 1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all") as producer:
        return (await producer.send_and_wait(topic, value, partition=2)).timestamp_type


async def consumed(bootstrap: str, topic: str) -> bytes:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, 2)])
        return (await consumer.getone()).value


async def test_a_record_is_consumed_again_and_carries_the_time_of_its_append(kafka_bootstrap: str) -> None:
    log_append_time = 1
    assert await produced(kafka_bootstrap, "embedded-round-trip", b"fact") == log_append_time
    assert await consumed(kafka_bootstrap, "embedded-round-trip") == b"fact"


async def test_a_topic_nobody_declared_is_not_made_by_reading_it(kafka_bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.describe_topics(["embedded-typing-error"])
        assert "embedded-typing-error" not in await admin.list_topics()
    finally:
        await admin.close()


@pytest.mark.slow
async def test_a_killed_broker_comes_back_under_its_address_with_its_log(tmp_path: Path) -> None:
    server = KafkaServer(tmp_path)
    await server.start()
    try:
        await produced(server.bootstrap, "t", b"kept")
        os.killpg(server.process.record.pid, signal.SIGKILL)
        assert not await server.answers()
        await server.start()
        assert await consumed(server.bootstrap, "t") == b"kept"
    finally:
        await server.stop()
    assert not await server.answers()


async def test_a_broker_does_not_start_on_jars_that_are_not_the_locked_ones(tmp_path: Path) -> None:
    with pytest.raises(ArtefactRefused):
        await KafkaServer(tmp_path / "data", cache=tmp_path / "cache").start()
