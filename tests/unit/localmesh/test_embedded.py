from pathlib import Path

import pytest

from loopwright.localmesh.embedded import EmbeddedServers
from loopwright.localmesh.failures import ArtefactRefused
from loopwright.localmesh.process import is_alive

pytestmark = pytest.mark.integration


@pytest.mark.slow
async def test_both_servers_live_as_long_as_the_block(tmp_path: Path) -> None:
    async with EmbeddedServers(tmp_path) as servers:
        records = servers.records
        assert [record.name for record in records] == ["kafka", "redis"]
        assert await servers.kafka.answers()
        assert await servers.redis.answers()
        assert (tmp_path / "logs" / "kafka.log").exists()
    assert not any(is_alive(record) for record in records)


async def test_when_one_cannot_start_the_other_is_stopped_again(tmp_path: Path) -> None:
    servers = EmbeddedServers(tmp_path, cache=tmp_path / "empty-cache")
    with pytest.raises(ExceptionGroup) as caught:
        await servers.start()
    assert caught.group_contains(ArtefactRefused)
    assert not await servers.redis.answers()
