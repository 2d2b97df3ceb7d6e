"""The event log on a real broker and in memory, behind one factory, for every test of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from loopwright.eventlog import EventLog, KafkaEventLog, MemoryBroker, MemoryEventLog, ensure_topics

OpenLog = Callable[[str], Awaitable[EventLog]]
PREFIX = "contract."


@pytest.fixture(scope="session")
def contract_topics(kafka_bootstrap: str) -> Iterator[str]:
    """Bootstrap address of a broker that has the topics of the contract."""
    asyncio.run(ensure_topics(kafka_bootstrap, prefix=PREFIX, partitions=4))
    yield kafka_bootstrap


@pytest.fixture(params=["memory", "kafka"])
def cluster(request: pytest.FixtureRequest) -> MemoryBroker | str:
    """Records in memory, or the address of a broker."""
    if request.param == "memory":
        return MemoryBroker(partitions=4)
    return str(request.getfixturevalue("contract_topics"))


@pytest.fixture
async def open_log(cluster: MemoryBroker | str) -> AsyncIterator[OpenLog]:
    """Opens a log for a producer; several in one test share their records."""
    async with AsyncExitStack() as stack:

        async def opened(producer: str) -> EventLog:
            if isinstance(cluster, MemoryBroker):
                return MemoryEventLog(cluster, producer=producer)
            return await stack.enter_async_context(KafkaEventLog.open(cluster, producer=producer, prefix=PREFIX))

        yield opened
