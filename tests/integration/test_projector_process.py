"""The projector as its own process on real Kafka and a real store, killed in the middle of its work."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from loopwright.eventlog import ITEM_FACTS, KafkaEventLog, Topic, ensure_topics, topic_named
from loopwright.eventlog.types import Encoded
from loopwright.lifecycle import ReadinessView, wait_folded
from loopwright.projector.parking import SOURCES
from loopwright.projector.redis_store import open_redis_store
from loopwright.projector.replay import ReplayFold
from loopwright.projector.store import MemoryStore, hashes
from loopwright.projector.user_stage import TOPICS
from loopwright.rpc import Deadline
from tests.integration.processes import started
from tests.replay.synthetic import read

pytestmark = [pytest.mark.integration, pytest.mark.slow]
WRITERS: dict[str, tuple[str, ...]] = {
    "ingest": ("catalog", "profiles", "organic"),
    "exposure": ("impressions", "actions"),
}


async def append_all(bootstrap: str, prefix: str) -> None:
    recorded = read()
    for producer, names in WRITERS.items():
        async with KafkaEventLog.open(bootstrap, producer=producer, prefix=prefix) as log:
            for name in names:
                entries = [Encoded(key, value) for topic, key, value in recorded if topic == name]
                await log.append_encoded(topic_named(name), entries, deadline=Deadline.after(30))


async def until(predicate: Callable[[], object], limit_s: float = 60.0) -> None:
    async with asyncio.timeout(limit_s):
        while not await predicate():  # type: ignore[misc]
            await asyncio.sleep(0.02)


async def test_a_projector_killed_in_the_middle_ends_with_the_rows_of_a_replay(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    name = uuid4().hex
    prefix = f"{name}."
    await ensure_topics(kafka_bootstrap, prefix=prefix)
    await append_all(kafka_bootstrap, prefix)
    environment = {
        "LOOPWRIGHT_PROJECTOR_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "LOOPWRIGHT_PROJECTOR_TOPIC_PREFIX": prefix,
        "LOOPWRIGHT_PROJECTOR_REDIS_URL": redis_url,
        "LOOPWRIGHT_PROJECTOR_KEY_NAMESPACE": f"{name}:",
        "LOOPWRIGHT_PROJECTOR_PACE__BATCH_RECORDS": "100",
    }
    out = tmp_path / "projector.log"
    async with (
        open_redis_store(redis_url, f"{name}:") as store,
        KafkaEventLog.open(kafka_bootstrap, producer="projector", prefix=prefix) as log,
    ):

        async def rows() -> int:
            return (await hashes(store)).user_rows

        process = await started("loopwright.projector.worker", environment, out)
        await until(rows)
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        expected = await ReplayFold(log, MemoryStore()).run()
        process = await started("loopwright.projector.worker", environment, out)
        try:
            async with ReadinessView(log) as view:
                deadline = Deadline.after(60)
                sources: tuple[Topic, ...] = tuple(topic for topic in SOURCES if topic in TOPICS)
                await wait_folded(view, "projector", "users", await log.ends(sources), deadline)
                behind = tuple(topic for topic in (*SOURCES, ITEM_FACTS) if topic not in TOPICS)
                await wait_folded(view, "projector", "items", await log.ends(behind), deadline)
            assert await hashes(store) == expected.hashes
        finally:
            process.terminate()
            assert await process.wait() == 0, out.read_text("utf-8")[-3000:]
            await store.clear()
