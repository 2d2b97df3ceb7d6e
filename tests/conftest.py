"""Fixtures shared by all tests: a real Kafka and a real Redis-compatible server, started once, when first asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopwright.localmesh.kafka_server import KafkaServer
from loopwright.localmesh.redis_server import RedisServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of real servers last and in one group, all others in a group a file.

    Several workers (`make test`) take the groups in this order, so that the servers run when all else is done: what
    they are judged by is time, too.
    """
    tests = Path(__file__).parent
    alone = [_of_servers(item) for item in items]
    for item, last in zip(items, alone, strict=True):
        group = "servers" if last else item.path.relative_to(tests).with_suffix("").as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
    items[:] = [item for _, item in sorted(zip(alone, items, strict=True), key=lambda pair: pair[0])]


def _of_servers(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("integration", "faults"))


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """One broker for the whole session; tests make topics of their own names on it."""
    server = KafkaServer(Path(tmp_path_factory.mktemp("kafka")))
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def kafka_bootstrap(kafka_server: KafkaServer) -> str:
    """Address of the session's broker."""
    return kafka_server.bootstrap


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis-compatible server for the whole session; tests use key prefixes of their own."""
    server = RedisServer(Path(tmp_path_factory.mktemp("redis")))
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def redis_url(redis_server: RedisServer) -> str:
    """Address of the session's Redis-compatible server."""
    return redis_server.url
