import asyncio
import itertools
from collections.abc import Awaitable, Callable
from copy import deepcopy
from uuid import uuid4

import pytest
from tests.unit.projector.logs import CLOCK, fold_all, log_of, outlet_of, some
from tests.unit.projector.resp_server import Keys, RespServer, resp_server
from tests.unit.projector.test_projector import PACE, Wall, rebuilt

from loopwright.faults import FeatureStoreDown
from loopwright.projector.fence import FencedStore
from loopwright.projector.item_stage import ItemStage
from loopwright.projector.projector import Projector
from loopwright.projector.redis_store import RedisStore, open_redis_store
from loopwright.projector.replay import ReplayFold
from loopwright.projector.store import MemoryStore, Write, hashes
from loopwright.projector.swap import StoreEmptied, StoreRolledBack, Swap
from loopwright.projector.user_stage import UserStage


@pytest.mark.integration
async def test_rows_and_values_come_back_and_clear_spares_other_namespaces(redis_url: str) -> None:
    name = uuid4().hex
    async with (
        open_redis_store(redis_url, f"{name}a:") as store,
        open_redis_store(redis_url, f"{name}b:") as other,
    ):
        writes = [
            Write(rows={"user:{1}:aa": {"g.v1": b"\x00\xff", "h.v1": b"2"}}, values={"mark:{1}:organic": b"7"}),
            Write(rows={"user:{2}:bb": {"g.v1": b"3"}}),
        ]
        await store.commit(writes)
        await other.commit(writes)
        assert await store.rows(["user:{1}:aa", "user:{9}:cc"], ("g.v1", "h.v1", "i.v1")) == [
            {"g.v1": b"\x00\xff", "h.v1": b"2"},
            {},
        ]
        assert await store.values(["mark:{1}:organic", "mark:{1}:other"]) == [b"7", None]
        found = {key: dict(fields) async for key, fields in store.scan("user:")}
        assert found == {"user:{1}:aa": {"g.v1": b"\x00\xff", "h.v1": b"2"}, "user:{2}:bb": {"g.v1": b"3"}}
        await store.clear(["mark:", "none:"])
        assert await store.values(["mark:{1}:organic"]) == [None]
        assert len([key async for key, _ in store.scan("user:")]) == 2
        await store.clear()
        assert [key async for key, _ in store.scan("")] == []
        assert await store.values(["mark:{1}:organic"]) == [None]
        assert len([key async for key, _ in other.scan("user:")]) == 2
        await other.clear()


@pytest.mark.integration
async def test_a_rebuilt_namespace_equals_the_live_one(redis_url: str) -> None:
    log = log_of(some(800))
    name = uuid4().hex
    async with open_redis_store(redis_url, f"{name}:") as store:
        for stage in (UserStage(store, outlet_of(log), range(4)), ItemStage(store, outlet_of(log), range(4))):
            await fold_all(log, stage, batch=70)
        live = await hashes(store)
        assert live.user_rows > 5
        assert live == (await ReplayFold(log, MemoryStore()).run()).hashes
        async with open_redis_store(redis_url, f"{name}fresh:") as fresh:
            assert (await ReplayFold(log, fresh).run(batch=333)).hashes == live
            await fresh.clear()
        await store.clear()


@pytest.mark.integration
async def test_a_command_that_the_server_refuses_is_a_fault_and_the_store_stays_usable(redis_url: str) -> None:
    name = uuid4().hex
    async with open_redis_store(redis_url, f"{name}:") as store:
        await store.commit([Write(values={"user:{1}:aa": b"a string"})])
        with pytest.raises(FeatureStoreDown):
            await store.commit([Write(rows={"user:{1}:aa": {"g": b"1"}}, values={"x": b"1"})])
        assert await store.values(["user:{1}:aa"]) == [b"a string"]
        await store.clear()


async def test_a_server_that_is_away_is_a_fault() -> None:
    async with open_redis_store("redis://127.0.0.1:1/0", timeout_s=0.2) as store:
        with pytest.raises(FeatureStoreDown):
            await store.values(["x"])


WRITES = [
    Write(rows={"user:{1}:aa": {"g": b"1"}}, values={"mark:{1}:organic": b"7"}),
    Write(rows={"user:{2}:bb": {"g": b"2"}}),
    Write(renewed={"progress:users": b"9"}),
]


async def fenced(store: RedisStore) -> FencedStore:
    stage = FencedStore(store, "users", "first")
    await store.commit([Write(values=stage.initial)])
    await stage.begin()
    return stage


def at_command(server: RespServer, number: int, act: Callable[[], Awaitable[None]]) -> None:
    """Act before the server carries out the n-th command from now on, counted from 0."""
    seen = itertools.count()

    async def before(name: bytes) -> None:
        if next(seen) == number:
            await act()

    server.before = before


async def test_a_commit_writes_everything_and_moves_the_fence_last() -> None:
    async with resp_server() as server, open_redis_store(server.url, "ns:") as store:
        stage = await fenced(store)
        order: list[bytes] = []

        async def before(name: bytes) -> None:
            order.append(name)

        server.before = before
        await stage.commit(WRITES)
        assert order == [b"GET", b"MULTI", b"HSET", b"MSET", b"EXEC", b"HSET", b"SET", b"SET"]
        assert server.keys == {
            b"ns:user:{1}:aa": {b"g": b"1"},
            b"ns:user:{2}:bb": {b"g": b"2"},
            b"ns:mark:{1}:organic": b"7",
            b"ns:progress:users": b"9",
            b"ns:fence:users": b"first:2",
        }


@pytest.mark.parametrize("number", range(1, 8))
async def test_a_server_restarted_from_an_older_state_within_a_commit_gets_nothing_of_its_rest(number: int) -> None:
    async with resp_server() as server, open_redis_store(server.url) as store:
        stage = await fenced(store)
        older = deepcopy(server.keys)
        await stage.commit([])

        async def restart() -> None:
            await server.kill()
            await server.start(older)

        at_command(server, number, restart)
        with pytest.raises(FeatureStoreDown):
            await stage.commit(WRITES)
        assert server.keys == older
        server.before = None
        with pytest.raises(StoreRolledBack):
            await stage.commit(WRITES)
        assert server.keys == older


@pytest.mark.parametrize("number", range(8))
async def test_a_server_emptied_within_a_commit_is_told_and_shows_no_progress(number: int) -> None:
    async with resp_server() as server, open_redis_store(server.url) as store:
        stage = await fenced(store)

        async def empty() -> None:
            server.keys.clear()

        at_command(server, number, empty)
        with pytest.raises(StoreEmptied):
            await stage.commit(WRITES)
        assert not server.keys.keys() & {b"progress:users", b"fence:users"}


@pytest.mark.parametrize("kept", range(1, 8))
async def test_a_commit_of_which_the_file_kept_only_the_beginning_is_told(kept: int) -> None:
    async with resp_server() as server, open_redis_store(server.url) as store:
        stage = await fenced(store)
        prefix: Keys = {}

        async def keep() -> None:
            prefix.update(deepcopy(server.keys))

        at_command(server, kept, keep)
        await stage.commit(WRITES)
        await server.kill()
        await server.start(prefix)
        server.before = None
        with pytest.raises(StoreRolledBack):
            await stage.commit([])


async def test_many_commands_go_in_parts_that_end_between_two_steps() -> None:
    async with resp_server() as server, open_redis_store(server.url) as store:
        stage = await fenced(store)
        writes = [
            Write(rows={f"user:{{{n}}}:aa": {"g": b"1"}}, values={f"mark:{{{n}}}:organic": b"7"}) for n in range(3000)
        ]
        await stage.commit(writes)
        assert len(server.keys) == 6002


async def test_a_fence_that_is_not_there_lets_nothing_be_written() -> None:
    async with resp_server() as server, open_redis_store(server.url) as store:
        with pytest.raises(StoreEmptied):
            await store.commit(WRITES, Swap("fence:users", None, b"1"))
        assert server.keys == {}


async def test_a_projector_outlives_a_server_that_restarts_empty_and_from_older_states() -> None:
    log = log_of(some(300))
    async with resp_server() as server, open_redis_store(server.url, timeout_s=1.0) as store:
        pace = PACE.model_copy(update={"batch_records": 32})
        projector = Projector(log, store, CLOCK, pace=pace, wall_ms=Wall())
        task = asyncio.ensure_future(projector.run())
        states: list[Keys] = [{}]
        try:
            for number in (5, 60, 200, 350):
                turn = asyncio.Event()

                async def note(turn: asyncio.Event = turn) -> None:
                    turn.set()

                at_command(server, number, note)
                await turn.wait()
                await server.kill()
                states.append(deepcopy(server.keys))
                await server.start(states[len(states) // 2 - 1])
            server.before = None
            await rebuilt(log, store)  # type: ignore[arg-type]
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_a_projector_on_a_real_connection_ends_when_it_is_cancelled_whatever_it_does() -> None:
    """The client's own waits may swallow a cancellation; a projector that went on would have to be killed."""
    log = log_of(some(60))
    async with resp_server() as server, open_redis_store(server.url, timeout_s=1.0) as store:
        for number in range(0, 120, 3):
            turn = asyncio.Event()

            async def note(turn: asyncio.Event = turn) -> None:
                turn.set()

            at_command(server, number, note)
            task = asyncio.ensure_future(Projector(log, store, CLOCK, pace=PACE, wall_ms=Wall()).run())
            await turn.wait()
            for _ in range(number % 7):
                await asyncio.sleep(0)
            task.cancel()
            async with asyncio.timeout(20):
                await asyncio.wait([task])
            assert task.cancelled()


async def test_a_store_that_answers_steadily_may_take_longer_for_many_rows_than_for_one_wait() -> None:
    count = 0

    async def slow(command: bytes) -> None:
        nonlocal count
        count += command == b"HMGET"
        if count % 100 == 0:
            await asyncio.sleep(0.02)

    async with resp_server() as server:
        server.before = slow
        async with open_redis_store(server.url, timeout_s=0.5) as store:
            began = asyncio.get_running_loop().time()
            assert len(await store.rows([f"user:{{1}}:{n}" for n in range(3000)], ("g.v1",))) == 3000
            assert asyncio.get_running_loop().time() - began > 0.5
