from uuid import uuid4

import pytest
from tests.unit.projector.logs import fold_all, log_of, outlet_of, some

from loopwright.faults import FeatureStoreDown
from loopwright.projector.item_stage import ItemStage
from loopwright.projector.redis_store import open_redis_store
from loopwright.projector.replay import ReplayFold
from loopwright.projector.store import MemoryStore, Write, hashes
from loopwright.projector.user_stage import UserStage

pytestmark = pytest.mark.integration


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
        await store.clear()
        assert [key async for key, _ in store.scan("")] == []
        assert await store.values(["mark:{1}:organic"]) == [None]
        assert len([key async for key, _ in other.scan("user:")]) == 2
        await other.clear()


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
