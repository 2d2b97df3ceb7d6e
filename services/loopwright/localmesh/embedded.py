"""Both servers of one mesh as one context: a real Kafka and a Redis-compatible server below one data folder.

In: a folder. Out: their addresses. `localmesh`'s supervisor, the tests' fixtures and benchmarks call it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from loopwright.localmesh.kafka_server import KafkaServer
from loopwright.localmesh.ports import free_ports
from loopwright.localmesh.process import ProcessRecord
from loopwright.localmesh.redis_server import RedisServer


class EmbeddedServers:
    """A broker and a Redis-compatible server that live as long as the `async with` block."""

    def __init__(
        self,
        data_dir: Path,
        *,
        kafka_port: int | None = None,
        redis_port: int | None = None,
        cache: Path | None = None,
        log_dir: Path | None = None,
    ) -> None:
        spare = free_ports(2)
        logs = log_dir or data_dir / "logs"
        self.kafka = KafkaServer(
            data_dir / "kafka", port=kafka_port or spare[0], cache=cache, log_file=logs / "kafka.log"
        )
        self.redis = RedisServer(data_dir / "redis", port=redis_port or spare[1], log_file=logs / "redis.log")

    @property
    def kafka_bootstrap(self) -> str:
        """The broker's address, `host:port`."""
        return self.kafka.bootstrap

    @property
    def redis_url(self) -> str:
        """The Redis-compatible server's address, `redis://host:port/0`."""
        return self.redis.url

    @property
    def records(self) -> list[ProcessRecord]:
        """Who the two processes are, for `run.json`."""
        return [self.kafka.process.record, self.redis.process.record]

    async def start(self) -> None:
        """Start both, side by side; when one fails the other is stopped again.

        Raises:
            ExceptionGroup: of the faults of `KafkaServer.start` and `RedisServer.start`.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.kafka.start())
                group.create_task(self.redis.start())
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop both; what already ended is left alone."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.kafka.stop())
            group.create_task(self.redis.stop())

    async def __aenter__(self) -> Self:
        """Start both servers."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both servers."""
        await self.stop()
