"""Topics on a real broker: created from the table, checked against it, compacted and trimmed under a reader."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.domain.ids import event_id
from loopwright.eventlog import (
    ALL_TOPICS,
    CONTROL,
    READINESS,
    KafkaEventLog,
    OffsetGone,
    Record,
    check_topics,
    ensure_topics,
    make_event,
    topics,
)
from loopwright.eventlog.provisioning import topic_settings
from loopwright.faults import TopicsMismatch
from loopwright.lifecycle import FixedClock, MeshClock, ReadinessReporter, ReplicaState
from loopwright.lifecycle.convert import report_to_event
from loopwright.lifecycle.reports import Report, report_key
from loopwright.rpc import Deadline

pytestmark = pytest.mark.integration


async def refused_with(bootstrap: str, prefix: str, rules: set[str]) -> TopicsMismatch:
    """Return the refusal once it has these rules: brokers learn of topics and settings a little later."""
    async with asyncio.timeout(20):
        while True:
            with pytest.raises(TopicsMismatch) as refused:
                await check_topics(bootstrap, prefix=prefix)
            if {violation.rule for violation in refused.value.violations} == rules:
                return refused.value
            await asyncio.sleep(0.1)


async def test_topics_are_created_once_and_pass_the_check(kafka_bootstrap: str) -> None:
    with pytest.raises(TopicsMismatch, match="missing") as refused:
        await check_topics(kafka_bootstrap, prefix="made.")
    assert len(refused.value.violations) == len(ALL_TOPICS)
    assert len(await ensure_topics(kafka_bootstrap, prefix="made.", partitions=2)) == len(ALL_TOPICS)
    assert await ensure_topics(kafka_bootstrap, prefix="made.", partitions=2) == []
    assert await check_topics(kafka_bootstrap, prefix="made.") == 2


async def test_a_start_refuses_topics_of_unequal_partitions_or_other_settings(kafka_bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        odd = NewTopic("odd.organic", 3, 1, topic_configs=topic_settings(topics.ORGANIC))
        await admin.create_topics([odd])
        await ensure_topics(kafka_bootstrap, prefix="odd.", partitions=2)
        change = ConfigResource(
            ConfigResourceType.TOPIC, "odd.actions", {**topic_settings(topics.ACTIONS), "retention.ms": "5"}
        )
        await admin.alter_configs([change])
        refusal = await refused_with(kafka_bootstrap, "odd.", {"partitions", "equals"})
    finally:
        await admin.close()
    broken = {violation.field for violation in refusal.violations}
    assert broken == {"odd.organic", "odd.actions.retention.ms"}


async def test_partitions_that_do_not_divide_the_logical_ones_are_refused(kafka_bootstrap: str) -> None:
    with pytest.raises(ValueError, match="does not divide"):
        await ensure_topics(kafka_bootstrap, prefix="never.", partitions=5)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(f"six.{t.name}", 6, 1, topic_configs=topic_settings(t)) for t in ALL_TOPICS]
        )
        refusal = await refused_with(kafka_bootstrap, "six.", {"divides"})
    finally:
        await admin.close()
    assert [violation.field for violation in refusal.violations] == ["partitions"]


async def test_records_that_retention_deleted_are_told_apart_from_an_empty_log(kafka_bootstrap: str) -> None:
    await ensure_topics(kafka_bootstrap, prefix="trim.", partitions=1)
    event = make_event(event_id(1), 0, FixedClock(0), "ingest", clock_set=ClockSet())
    async with KafkaEventLog.open(kafka_bootstrap, producer="ingest", prefix="trim.") as log:
        await log.append_many(CONTROL, [(b"k", event)] * 20, deadline=Deadline.after(10))
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition("trim.control", 0): RecordsToDelete(before_offset=12)})
        finally:
            await admin.close()
        assert await log.starts([CONTROL]) == {("control", 0): 12}
        with pytest.raises(OffsetGone, match="12"):
            async with log.reader([CONTROL], start={("control", 0): 5}):
                pass
        async with log.reader([CONTROL], stop=await log.ends([CONTROL])) as reader:
            found: list[Record] = []
            while not reader.done():
                found += await reader.read()
            assert [record.offset for record in found] == list(range(12, 20))
            reader.seek({("control", 0): 3})
            with pytest.raises(OffsetGone, match="3"):
                for _ in range(20):
                    await reader.read()


async def test_a_stop_inside_a_gap_of_a_compacted_topic_is_reached(kafka_bootstrap: str) -> None:
    await ensure_topics(kafka_bootstrap, prefix="gap.", partitions=1)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    quick = {**topic_settings(READINESS), "segment.ms": "100", "min.cleanable.dirty.ratio": "0.001"}
    async with KafkaEventLog.open(kafka_bootstrap, producer="demo", prefix="gap.") as log:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "gap.readiness", quick)])
        await admin.close()

        async def append(number: int) -> None:
            report = Report("demo-0", "demo", "bundle", "same", ReplicaState.LOADED, "", number)
            event = report_to_event(report, number, FixedClock(0))
            await log.append(READINESS, report_key(report), event, deadline=Deadline.after(10))

        async def left() -> list[int]:
            stop = await log.ends([READINESS])
            async with log.reader([READINESS], stop=stop) as reader:
                found: list[Record] = []
                while not reader.done():
                    found += await reader.read()
            return [record.offset for record in found]

        for number in range(30):
            await append(number)
        async with asyncio.timeout(90):
            while len(await left()) >= 20:  # the cleaner comes by every 15 s
                await asyncio.sleep(0.5)
                await append(99)  # rolls the segment
        first = (await left())[0]
        assert first > 1
        async with asyncio.timeout(10), log.reader([READINESS], stop={("readiness", 0): first - 1}) as reader:
            while not reader.done():
                assert await reader.read() == []
            assert reader.position() == {("readiness", 0): first - 1}


async def test_a_replica_reports_over_a_real_broker(kafka_bootstrap: str) -> None:
    await ensure_topics(kafka_bootstrap, prefix="ready.", partitions=2)
    async with KafkaEventLog.open(kafka_bootstrap, producer="demo", prefix="ready.") as log:
        async with ReadinessReporter(log, MeshClock(), "demo", "demo-0") as reporter:
            await reporter.loaded("bundle", "p1")
        async with log.reader([READINESS], stop=await log.ends([READINESS])) as reader:
            found: list[Record] = []
            while not reader.done():
                found += await reader.read()
    assert sorted(record.event.replica_reported.state for record in found) == [1, 3, 4]
