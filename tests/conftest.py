"""Fixtures shared by all tests: a real Kafka and a real Redis-compatible server, started once, when first asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopwright.localmesh.kafka_server import KafkaServer
from loopwright.localmesh.redis_server import RedisServer


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
