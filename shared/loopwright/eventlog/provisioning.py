"""Creates the topics of the table on a cluster, and checks that a cluster's topics are those of the table.

`localmesh` and tests create; every process checks at its start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from loopwright.domain.ids import LOGICAL_PARTITIONS
from loopwright.eventlog.topics import ALL_TOPICS, DEFAULT_PREFIX, Topic
from loopwright.faults import FieldViolation, LogUnavailable, TopicsMismatch, translate

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""Above the largest event with its framing; a batch of several is smaller."""
_HOUR_MS = 3_600_000
_VISIBLE_S = 15.0


def topic_settings(topic: Topic) -> dict[str, str]:
    """Return the broker's settings of a topic; nothing that decides what is kept is left to a default."""
    settings = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": str(topic.retention_ms),
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "compression.type": "producer",
    }
    if topic.compacted:
        # The active segment is never compacted: without a short one a compacted topic grows by its whole history.
        settings |= {"segment.ms": str(_HOUR_MS), "min.cleanable.dirty.ratio": "0.3"}
    return settings


async def ensure_topics(
    bootstrap: str, *, prefix: str = DEFAULT_PREFIX, partitions: int = 4, replication: int = 1
) -> list[str]:
    """Create the topics that are missing; those that exist are left alone.

    Args:
        bootstrap: `host:port`, several joined by commas.
        prefix: Prefix of every topic.
        partitions: Physical partitions N of each; divides 64.
        replication: Copies of each partition.

    Returns:
        Names of the created topics, with prefix.

    Raises:
        ValueError: `partitions` does not divide 64.
        LogUnavailable: The broker does not answer or refuses.
    """
    if partitions < 1 or LOGICAL_PARTITIONS % partitions:
        raise ValueError(f"{partitions} does not divide {LOGICAL_PARTITIONS}")
    async with _admin(bootstrap) as admin:
        present = set(await admin.list_topics())
        wanted = [
            NewTopic(prefix + topic.name, partitions, replication, topic_configs=topic_settings(topic))
            for topic in ALL_TOPICS
            if prefix + topic.name not in present
        ]
        if not wanted:
            return []
        answer = await admin.create_topics(wanted)
        for _, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:  # another process may create them at the same time
                raise error()
        await _visible(admin, [topic.name for topic in wanted])
    return [topic.name for topic in wanted]


async def check_topics(bootstrap: str, *, prefix: str = DEFAULT_PREFIX) -> int:
    """Check every topic of the table on the cluster.

    Returns:
        N, the number of physical partitions that all topics share.

    Raises:
        TopicsMismatch: Topics are missing, their N differ or do not divide 64, or settings differ: one violation each.
        LogUnavailable: The broker does not answer.
    """
    names = [prefix + topic.name for topic in ALL_TOPICS]
    async with _admin(bootstrap) as admin:
        present = set(await admin.list_topics())
        if absent := [name for name in names if name not in present]:
            raise TopicsMismatch(f"{len(absent)} topics are missing", violations=[_missing(n) for n in absent])
        described = await admin.describe_topics(names)
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, n) for n in names])
    counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
    settings = {entry[3]: _values(entry[4]) for answer in answers for entry in answer.resources}
    broken = [*_count_violations(counts), *_setting_violations(prefix, settings)]
    if broken:
        raise TopicsMismatch(f"{len(broken)} settings of topics differ from the table", violations=broken)
    return next(iter(counts.values()))


async def _visible(admin: AIOKafkaAdminClient, created: list[str]) -> None:
    """Wait until the brokers know the topics; their answer to the creation comes earlier."""
    async with asyncio.timeout(_VISIBLE_S):
        while True:
            described = await admin.describe_topics(created)
            leaders = [p["leader"] for topic in described for p in topic["partitions"]]
            if all(topic["error_code"] == 0 for topic in described) and leaders and min(leaders) >= 0:
                return
            await asyncio.sleep(0.05)


def _missing(name: str) -> FieldViolation:
    return FieldViolation(name, "exists", "the topic does not exist")


def _count_violations(counts: dict[str, int]) -> list[FieldViolation]:
    first = next(iter(counts.values()))
    broken = [
        FieldViolation(name, "partitions", f"has {n} partitions, others {first}")
        for name, n in counts.items()
        if n != first
    ]
    if LOGICAL_PARTITIONS % first:
        rule = f"{first} partitions do not divide {LOGICAL_PARTITIONS}"
        broken.append(FieldViolation("partitions", "divides", rule))
    return broken


def _setting_violations(prefix: str, settings: dict[str, dict[str, str]]) -> list[FieldViolation]:
    return [
        FieldViolation(f"{prefix}{topic.name}.{key}", "equals", f"must be {value}")
        for topic in ALL_TOPICS
        for key, value in topic_settings(topic).items()
        if settings[prefix + topic.name].get(key) != value
    ]


def _values(entries: list[tuple[Any, ...]]) -> dict[str, str]:
    return {entry[0]: entry[1] for entry in entries}


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        with translate({KafkaError: LogUnavailable, TimeoutError: LogUnavailable, OSError: LogUnavailable}):
            await admin.start()
            yield admin
    finally:
        await admin.close()
