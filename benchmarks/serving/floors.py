"""Opens what the floors of every size share: the index, the packed rows in store and matrix, the producer's topic."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.serving.bundles import SIZES, Size
from benchmarks.serving.floor import F16, TOPIC, Floor, build_index, fill, packed_rows
from benchmarks.serving.world import World


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is made once for both phases: hnswlib's graph and the rows."""

    world: World
    index: Any
    rows: F16

    @classmethod
    def of(cls, world: World) -> Prepared:
        """Build the graph, on all CPUs, and draw the rows."""
        return cls(world, build_index(world.vectors, os.cpu_count() or 1), packed_rows(len(world.vectors)))


@asynccontextmanager
async def floors(prepared: Prepared, redis_url: str, kafka: str) -> AsyncIterator[dict[Size, Floor]]:
    """Yield the floor of each size over a Redis-compatible server and a broker, which are filled first."""
    async with AsyncExitStack() as stack:
        client = redis.asyncio.Redis.from_url(redis_url)
        stack.push_async_callback(client.aclose)
        await fill(client, prepared.rows)
        await _topic(kafka)
        producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True, linger_ms=0)
        await producer.start()
        stack.push_async_callback(producer.stop)
        world = prepared.world
        yield {
            size: Floor(
                size.candidates, prepared.index, world.vectors, world.user_vectors, prepared.rows, client, producer
            )
            for size in SIZES
        }


async def _topic(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        if TOPIC not in await admin.list_topics():
            await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
