"""The embedded broker and store of one benchmark run, and logs on them: one prefix of topics for each measurement."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from loopwright.eventlog import KafkaEventLog, Topic
from loopwright.eventlog.provisioning import ensure_topics
from loopwright.localmesh.embedded import EmbeddedServers

PARTITIONS = 4


class Servers:
    """Where broker and store listen."""

    def __init__(self, embedded: EmbeddedServers, folder: Path) -> None:
        self.kafka, self.redis, self.folder = embedded.kafka_bootstrap, embedded.redis_url, folder

    async def make(self, prefix: str) -> str:
        """Make all topics under a prefix and return it."""
        await ensure_topics(self.kafka, prefix=prefix, partitions=PARTITIONS)
        return prefix

    @asynccontextmanager
    async def log(self, prefix: str, producer: str) -> AsyncIterator[KafkaEventLog]:
        """Yield the log under a prefix as a service sees it."""
        async with KafkaEventLog.open(self.kafka, producer=producer, prefix=prefix) as log:
            yield log


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """Yield a broker and a store that live as long as the block."""
    async with EmbeddedServers(folder) as embedded:
        yield Servers(embedded, folder)


def whole_name(prefix: str, topic: Topic) -> str:
    """Return a topic's name with the prefix."""
    return prefix + topic.name
