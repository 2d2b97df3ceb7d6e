import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.projector.logs import CLOCK, log_of, some
from tests.unit.projector.stores import Loss, LossyStore

from loopwright.eventlog import ITEM_FACTS, ORGANIC, MemoryEventLog, Offsets, covers
from loopwright.eventlog.strays import StrayCancellation
from loopwright.faults import CorruptRecord, LogUnavailable
from loopwright.projector.config import Pace
from loopwright.projector.parking import SOURCES, park, parked, unpark
from loopwright.projector.projector import Projector
from loopwright.projector.replay import ReplayFold
from loopwright.projector.store import MemoryStore, Write, hashes
from loopwright.projector.swap import Swap
from loopwright.store import keys as row_keys

PACE = Pace(
    poll_interval_ms=2,
    gather_ms=0,
    progress_interval_ms=10,
    sweep_interval_ms=10,
    retry_interval_ms=2,
    rebuild_delay_ms=2,
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
async def running(log: MemoryEventLog, store: MemoryStore, pace: Pace = PACE) -> AsyncIterator[dict[str, Offsets]]:
    progress: dict[str, Offsets] = {}
    projector = Projector(log, store, CLOCK, pace=pace, wall_ms=Wall(), report=progress.__setitem__)
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


async def test_a_request_that_comes_before_the_last_ones_end_was_seen_is_answered_too() -> None:
    log, store = log_of(some(300)), MemoryStore()
    asked = await log.ends(SOURCES)
    async with running(log, store):
        for _ in range(3):
            await park(store, asked)
            assert await parked(store) is None  # nobody has answered this one
            async with asyncio.timeout(20):
                while (stand := await parked(store)) is None:
                    await asyncio.sleep(0.005)
            assert stand.offsets == asked
            await unpark(store)  # the store in memory does not yield: the projector sees the next request only


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
    log, store = log_of(some(500)), LossyStore({commit: Loss.CUT_OFF for commit in range(10, 100, 7)})
    async with running(log, store) as progress:
        await settled(log, progress)
    assert len(store.happened) > 3
    assert await hashes(store) == (await ReplayFold(log, MemoryStore()).run()).hashes


async def rebuilt(log: MemoryEventLog, store: MemoryStore) -> None:
    """Return when the store holds what a replay of the log comes to, and both stages say that they have caught up."""
    expected = (await ReplayFold(log, MemoryStore()).run()).hashes
    names = [row_keys.progress("users"), row_keys.progress("items")]
    async with asyncio.timeout(30):
        while not all(int(value or 0) for value in await store.values(names)) or await hashes(store) != expected:
            await asyncio.sleep(0.005)


LOSSES = st.lists(st.tuples(st.integers(1, 9), st.sampled_from(list(Loss))), max_size=8)


@settings(max_examples=25, deadline=None)
@given(LOSSES)
async def test_whatever_the_store_loses_and_whenever_it_ends_with_the_rows_of_a_replay(
    losses: list[tuple[int, Loss]],
) -> None:
    plan, commit = {}, 0
    for gap, loss in losses:
        commit += gap
        plan[commit] = loss
    log, store = log_of(some(160)), LossyStore(plan)
    async with running(log, store, PACE.model_copy(update={"batch_records": 16})):
        while store.commits <= commit:
            await asyncio.sleep(0.001)
        await rebuilt(log, store)
    assert len(store.happened) == len(plan)


@settings(max_examples=10, deadline=None)
@given(st.integers(4, 60), st.sampled_from([Loss.EMPTY, Loss.EMPTY_WITHIN]))
async def test_an_emptied_store_is_rebuilt_though_old_facts_were_cleaned(commit: int, loss: Loss) -> None:
    log = log_of(some(160))

    def clean(store: MemoryStore) -> None:
        folded: Offsets = {}
        for key, value in store._values.items():
            kind, partition, topic = [*key.split(":", 2), ""][:3]
            if kind == "mark" and topic == ITEM_FACTS.name:
                place = topic, int(partition[1:-1]) % log.partitions
                folded[place] = min(int(value), folded.get(place, int(value)))
        log.broker.delete_before(folded)

    store = LossyStore({commit: loss}, clean)
    async with running(log, store, PACE.model_copy(update={"batch_records": 16})):
        while store.commits <= commit:
            await asyncio.sleep(0.001)
        await rebuilt(log, store)
    assert store.happened == [loss]


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(3, 20), min_size=1, max_size=4))
async def test_a_process_killed_between_what_it_appends_and_its_commit_repeats_without_effect(
    kills: list[int],
) -> None:
    class Held(MemoryStore):
        """Never comes back from one commit: what is killed then has appended and not committed."""

        left = 0

        async def commit(self, writes: Sequence[Write], swap: Swap | None = None) -> None:
            self.left -= 1
            if self.left == 0:
                await asyncio.Event().wait()
            await super().commit(writes, swap)

    log, store = log_of(some(160)), Held()
    pace = PACE.model_copy(update={"batch_records": 16})
    for commits in kills:
        store.left = commits
        async with running(log, store, pace):
            await until(lambda: store.left <= 0)
    async with running(log, store, pace):
        await rebuilt(log, store)


async def test_while_idle_an_emptied_store_is_noticed_and_progress_is_away_until_it_is_rebuilt() -> None:
    log, store = log_of(some(200)), LossyStore({})
    async with running(log, store) as progress:
        await settled(log, progress)
        await rebuilt(log, store)
        expected = await hashes(store)
        store.empty()
        while await hashes(store) != expected:
            told = await store.values([row_keys.progress("users"), row_keys.progress("items")])
            complete = await hashes(store) == expected
            assert complete or 0 in [int(value or 0) for value in told]
            await asyncio.sleep(0)
        await rebuilt(log, store)


async def test_an_emptied_store_is_noticed_while_the_log_is_away_and_rebuilt_when_it_is_back() -> None:
    log, store = log_of(some(200)), LossyStore({})
    async with running(log, store) as progress:
        await settled(log, progress)
        log.broker.outage = LogUnavailable("away")
        store.empty()
        async with asyncio.timeout(5):
            while None in await store.values(["fence:users", "fence:items", "progress:users", "progress:items"]):
                await asyncio.sleep(0.005)
        assert await store.values(["progress:users", "progress:items"]) == [b"0", b"0"]
        log.broker.outage = None
        await rebuilt(log, store)


async def test_what_landed_in_an_emptied_store_before_a_crash_is_cleared_by_the_next_process() -> None:
    log, store = log_of(some(200)), MemoryStore()
    stray = Write(
        rows={"user:{1}:aa": {"user_history.v1": b"stray"}},
        values={"mark:{1}:organic": b"90", "progress:users": b"1", "recent:{1}:aa": b"served"},
    )
    await store.commit([stray])
    async with running(log, store):
        await rebuilt(log, store)
    assert await store.values(["recent:{1}:aa"]) == [b"served"]


async def test_a_parked_projector_notices_that_the_store_was_rolled_back_and_comes_back_to_where_it_stood() -> None:
    log, store = log_of(some(300)), LossyStore({})
    asked = await log.ends(SOURCES)
    await park(store, asked)
    async with running(log, store):
        while store.commits < 8:
            await asyncio.sleep(0.001)
        store.keep()
        async with asyncio.timeout(20):
            while await parked(store) is None:
                await asyncio.sleep(0.002)
        expected = await hashes(store)
        store.roll_back()
        assert await hashes(store) != expected
        async with asyncio.timeout(20):
            while await parked(store) is None or await hashes(store) != expected:
                await asyncio.sleep(0.002)


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


async def test_a_stage_that_a_stray_cancellation_ends_ends_the_projector() -> None:
    class Stray(MemoryStore):
        async def commit(self, writes: Sequence[Write], swap: Swap | None = None) -> None:
            if any(key.startswith("item") for write in writes for key in write.rows):
                raise asyncio.CancelledError
            await super().commit(writes, swap)

    projector = Projector(log_of(some(60)), Stray(), CLOCK, pace=PACE, wall_ms=Wall())
    async with asyncio.timeout(20):
        with pytest.raises(ExceptionGroup) as caught:
            await projector.run()
    assert caught.group_contains(StrayCancellation)
