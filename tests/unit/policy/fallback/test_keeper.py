import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.mesh.world import activate, catalogue, soon

from loopwright.bundle import BundleFeed, default_bundle, policy_version, with_values
from loopwright.domain.ids import item_id
from loopwright.eventlog import FALLBACKS, MemoryEventLog
from loopwright.faults import LogUnavailable
from loopwright.localmesh.composition import OneProcess, one_process
from loopwright.policy.fallback import FallbackKeeper


@asynccontextmanager
async def mesh_with(folder: Path, count: int) -> AsyncIterator[OneProcess]:
    async with one_process(folder) as mesh:
        if count:
            await mesh.ingest.intake.items(catalogue(count), soon())
        await mesh.settle()
        yield mesh


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


async def test_the_order_of_a_catalogue_is_on_the_log_and_read_back_by_everybody(tmp_path: Path) -> None:
    async with mesh_with(tmp_path, 120) as mesh:
        feed = mesh.services.recommender.feed
        await until(lambda: len(feed.fallback("home") or ()) == 120)
        order = feed.fallback("home")
        assert order is not None
        assert order.policy_version == policy_version(default_bundle())
        assert set(order.item_ids.tolist()) == {item_id(f"i{n}") for n in range(120)}


async def test_an_order_that_did_not_change_is_not_appended_again(tmp_path: Path) -> None:
    async with mesh_with(tmp_path, 30) as mesh:
        keeper = mesh.services.policy.fallbacks
        await keeper.refresh()
        count = len(mesh.broker.records(FALLBACKS))
        assert count >= 1
        assert await keeper.refresh() == 0
        assert len(mesh.broker.records(FALLBACKS)) == count


async def test_an_activation_brings_an_order_of_the_new_bundle_soon(tmp_path: Path) -> None:
    async with mesh_with(tmp_path, 30) as mesh:
        feed = mesh.services.policy.feed
        await until(lambda: feed.fallback("home") is not None)
        version = await activate(mesh, with_values(default_bundle(), {"constraints.creator_cap": 1}))
        await until(lambda: getattr(feed.fallback("home"), "policy_version", "") == version)


async def test_without_an_eligible_item_there_is_no_order(tmp_path: Path) -> None:
    async with mesh_with(tmp_path, 0) as mesh:
        assert await mesh.services.policy.fallbacks.refresh() == 0
        assert mesh.broker.records(FALLBACKS) == []


async def test_a_withdrawn_item_leaves_the_order(tmp_path: Path) -> None:
    async with mesh_with(tmp_path, 20) as mesh:
        await mesh.services.policy.fallbacks.refresh()
        await mesh.ingest.intake.withdraw("i3", "", soon())
        await mesh.settle()
        await until(lambda: bool(mesh.services.policy.fallbacks._mirror.table.eligibility.any()))
        await mesh.services.policy.fallbacks.refresh()
        order = mesh.services.policy.feed.fallback("home")
        assert order is not None
        assert item_id("i3") not in order.item_ids.tolist() and len(order) == 19


async def test_a_log_that_is_away_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with mesh_with(tmp_path, 20) as mesh:
        policy = mesh.services.policy
        await policy.fallbacks.refresh()
        failing = True
        append = MemoryEventLog.append

        async def away(self: MemoryEventLog, topic, *args, **kwargs):  # type: ignore[no-untyped-def]
            if failing and topic is FALLBACKS:
                raise LogUnavailable("gone")
            return await append(self, topic, *args, **kwargs)

        monkeypatch.setattr(MemoryEventLog, "append", away)
        await mesh.ingest.intake.withdraw("i3", "", soon())
        await mesh.settle()
        await until(lambda: bool(policy.fallbacks._mirror.table.eligibility.any()))
        with pytest.raises(LogUnavailable):
            await policy.fallbacks.refresh()
        failing = False
        assert await policy.fallbacks.refresh() == 1


async def test_what_ends_the_mirror_ends_the_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    log = MemoryEventLog(producer="policy")
    async with BundleFeed(log) as feed:
        async with FallbackKeeper(log, feed, _Clock(), 60.0) as keeper:
            await asyncio.sleep(0)
            await keeper._folded.wait()
            keeper._mirror._tail.failure = RuntimeError("a row does not decode")
            keeper._switched.set()
            with pytest.raises(RuntimeError):
                await keeper.wait()


class _Clock:
    def now_ms(self) -> int:
        return 0
