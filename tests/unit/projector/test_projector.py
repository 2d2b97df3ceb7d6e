import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.unit.projector.logs import CLOCK, log_of, some

from loopwright.eventlog import ITEM_FACTS, ORGANIC, MemoryEventLog, Offsets, covers
from loopwright.faults import CorruptRecord, FeatureStoreDown, LogUnavailable
from loopwright.projector.config import Pace
from loopwright.projector.parking import SOURCES, park, parked, unpark
from loopwright.projector.projector import Projector
from loopwright.projector.replay import ReplayFold
from loopwright.projector.store import MemoryStore, hashes
from loopwright.store import keys as row_keys

PACE = Pace(
    poll_interval_ms=2,
    gather_ms=0,
    progress_interval_ms=10,
    sweep_interval_ms=10,
    retry_interval_ms=2,
    batch_records=64,
)


class Wall:
    """A wall clock that moves with each look."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        self.ms += 1
        return self.ms


@asynccontextmanager
async def running(log: MemoryEventLog, store: MemoryStore) -> AsyncIterator[dict[str, Offsets]]:
    progress: dict[str, Offsets] = {}
    projector = Projector(log, store, CLOCK, pace=PACE, wall_ms=Wall(), report=progress.__setitem__)
    task = asyncio.ensure_future(projector.run())
    try:
        yield progress
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is not None:
            raise task.exception()  # type: ignore[misc]


async def until(predicate: Callable[[], bool], limit_s: float = 20.0) -> None:
    async with asyncio.timeout(limit_s):
        while not predicate():
            await asyncio.sleep(0.005)


async def settled(log: MemoryEventLog, progress: dict[str, Offsets]) -> None:
    ends = await log.ends(SOURCES)
    users = {place: end for place, end in ends.items() if place[0] != "catalog"}
    await until(lambda: covers(progress.get("users", {}), users))
    items = {place: end for place, end in ends.items() if place[0] == "catalog"} | await log.ends([ITEM_FACTS])
    await until(lambda: covers(progress.get("items", {}), items))


async def test_a_running_projector_ends_where_a_replay_ends_and_writes_its_progress() -> None:
    log, store = log_of(some(500)), MemoryStore()
    async with running(log, store) as progress:
        await settled(log, progress)
        names = [row_keys.progress("users"), row_keys.progress("items")]
        for _ in range(500):
            if all(await store.values(names)):
                break
            await asyncio.sleep(0.01)
        assert all(int(value or 0) > 0 for value in await store.values(names))
    assert await hashes(store) == (await ReplayFold(log, MemoryStore()).run()).hashes


async def test_a_parked_projector_stands_exactly_at_the_offsets_asked_for_and_goes_on_when_let() -> None:
    appended = some(600)
    log, store = log_of(appended[:300]), MemoryStore()
    asked = await log.ends(SOURCES)
    log_of(appended[300:], log.broker)
    await park(store, asked)
    async with running(log, store) as progress:
        async with asyncio.timeout(20):
            while (stand := await parked(store)) is None:
                await asyncio.sleep(0.005)
        assert stand.exact
        assert stand.offsets == asked
        assert await hashes(store) == (await ReplayFold(log, MemoryStore()).run(asked)).hashes
        await unpark(store)
        await settled(log, progress)
        assert await parked(store) is None
    assert await hashes(store) == (await ReplayFold(log, MemoryStore()).run()).hashes


async def test_a_projector_past_the_offsets_says_where_it_stands() -> None:
    log, store = log_of(some(300)), MemoryStore()
    async with running(log, store) as progress:
        await settled(log, progress)
        await park(store, {(ORGANIC.name, partition): 1 for partition in range(4)})
        async with asyncio.timeout(20):
            while (stand := await parked(store)) is None:
                await asyncio.sleep(0.005)
    assert not stand.exact
    assert stand.offsets == await log.ends(SOURCES)


async def test_an_outage_of_the_store_makes_a_stage_begin_anew_at_its_marks() -> None:
    class Flaky(MemoryStore):
        commits = 0

        async def commit(self, writes) -> None:  # type: ignore[no-untyped-def]
            self.commits += 1
            if self.commits % 7 == 0:
                await super().commit(list(writes)[: len(writes) // 2])
                raise FeatureStoreDown("away")
            await super().commit(writes)

    log, store = log_of(some(500)), Flaky()
    async with running(log, store) as progress:
        await settled(log, progress)
    assert store.commits > 14
    assert await hashes(store) == (await ReplayFold(log, MemoryStore()).run()).hashes


async def test_an_outage_of_the_log_makes_a_stage_begin_anew() -> None:
    log, store = log_of(some(400)), MemoryStore()
    broker = log.broker
    broker.outage = LogUnavailable("away")
    async with running(log, store) as progress:
        await asyncio.sleep(0.05)
        broker.outage = None
        await settled(log, progress)
    assert await hashes(store) == (await ReplayFold(log, MemoryStore()).run()).hashes


async def test_a_store_that_was_lost_is_rebuilt_though_old_facts_were_cleaned() -> None:
    log = log_of(some(500))
    async with running(log, MemoryStore()) as progress:
        await settled(log, progress)
    ends = await log.ends([ITEM_FACTS])
    log.broker.delete_before({place: end // 2 for place, end in ends.items()})
    store = MemoryStore()
    async with running(log, store) as progress:
        await settled(log, progress)
    assert await hashes(store) == (await ReplayFold(log, MemoryStore()).run()).hashes


async def test_item_rows_lost_without_the_user_rows_stop_the_projector() -> None:
    log, store = log_of(some(200)), MemoryStore()
    async with running(log, store) as progress:
        await settled(log, progress)
    ends = await log.ends([ITEM_FACTS])
    log.broker.delete_before({place: end // 2 for place, end in ends.items()})
    for key in [key for key in store._values if "item_facts" in key or ":catalog" in key]:
        await store.delete(key)
    with pytest.raises(CorruptRecord):
        async with running(log, store):
            await asyncio.sleep(0.2)
