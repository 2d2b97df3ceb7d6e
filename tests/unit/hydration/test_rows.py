from __future__ import annotations

import asyncio

import pytest

from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout
from loopwright.hydration.rows import RedisRows
from loopwright.rpc import Deadline
from loopwright.store import keys
from loopwright.store.client import open_store
from loopwright.store.wire import Wire

pytestmark = pytest.mark.integration
SUBJECT = bytes(range(16))
STAGES = ("items", "users")


@pytest.fixture
async def written(redis, namespace, wall):
    await redis.hset(keys.user_row(SUBJECT, namespace), mapping={"user_history.v1": b"H", "other.v9": b"X"})
    await redis.zadd(
        keys.recent(SUBJECT, namespace),
        {"5": wall.ms - keys.RECENT_MS - 1, "6": wall.ms - keys.RECENT_MS, str(2**64 - 1): wall.ms},
    )
    await redis.set(keys.stored_answer(SUBJECT, "r-1", namespace), b"answer")
    await redis.set(keys.progress("users", namespace), wall.ms - 100)


async def test_everything_of_a_user_is_read_at_once(rows, written, wall, deadline):
    row = await rows.user(SUBJECT, read_recent=True, request_id="r-1", stages=STAGES, deadline=deadline)
    assert row.states == {"user_history.v1": b"H"}
    assert sorted(row.recent.tolist()) == [6, 2**64 - 1]
    assert row.stored_answer == b"answer"
    assert row.progress_ms == {"users": wall.ms - 100}


async def test_judging_reads_neither_recent_nor_a_stored_answer(rows, written, deadline):
    row = await rows.user(SUBJECT, read_recent=False, request_id="", stages=STAGES, deadline=deadline)
    assert row.states == {"user_history.v1": b"H"}
    assert (row.recent.tolist(), row.stored_answer) == ([], b"")


async def test_a_new_user_has_nothing(rows, deadline):
    row = await rows.user(SUBJECT, read_recent=True, request_id="r-1", stages=STAGES, deadline=deadline)
    assert (dict(row.states), row.recent.tolist(), row.stored_answer) == ({}, [], b"")
    assert dict(row.progress_ms) == {}


async def test_one_exchange_reads_a_user(rows, written, deadline, monkeypatch):
    sent, original = [], Wire.send

    def counted(self, exchange):
        sent.append(exchange)
        original(self, exchange)

    monkeypatch.setattr(Wire, "send", counted)
    await rows.user(SUBJECT, read_recent=True, request_id="r-1", stages=STAGES, deadline=deadline)
    assert len(sent) == 1


async def test_items_that_have_states_are_read(rows, redis, namespace, deadline):
    await redis.hset(keys.item_row(2**64 - 1, namespace), mapping={"item_counts.v1": b"C", "item_content.v1": b"D"})
    found = await rows.items([2**64 - 1, 7], deadline)
    assert sorted(found) == [(2**64 - 1, "item_content.v1", b"D"), (2**64 - 1, "item_counts.v1", b"C")]


async def test_stages_never_heard_of_are_missing_from_the_progress(rows, written, wall, deadline):
    assert await rows.progress(STAGES, deadline) == {"users": wall.ms - 100}


async def test_a_store_that_is_away_is_a_typed_fault(wall):
    async with open_store("redis://127.0.0.1:1/0", 0.5) as away:
        rows = RedisRows(away, wall)
        with pytest.raises(FeatureStoreDown):
            await rows.user(SUBJECT, read_recent=True, request_id="", stages=STAGES, deadline=Deadline.after(2.0))
        with pytest.raises(FeatureStoreDown):
            await rows.items([1], Deadline.after(2.0))
        with pytest.raises(FeatureStoreDown):
            await rows.progress(STAGES, Deadline.after(2.0))


async def test_a_frozen_store_leaves_time_for_an_answer_without_it(wall):
    async def frozen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(frozen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_store(f"redis://127.0.0.1:{port}/0", 60.0) as client:
        call = Deadline.after(1.0)
        with pytest.raises(FeatureStoreTimeout):
            await RedisRows(client, wall).user(SUBJECT, read_recent=True, request_id="", stages=STAGES, deadline=call)
        assert not call.expired
