from __future__ import annotations

import asyncio

import pytest

from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout
from loopwright.rpc import Deadline
from loopwright.store.client import MOST_IN_FLIGHT, open_store

LONG = 5.0


def ask(client, key, deadline_s=LONG):
    return asyncio.ensure_future(client.ask([("GET", key)], Deadline.after(deadline_s)))


async def test_calls_share_one_connection_and_get_their_own_answers(scripted):
    async with open_store(scripted.url, LONG) as client:
        calls = [ask(client, key) for key in ("a", "b", "c")]
        await scripted.hears(b"\r\nc\r\n")
        scripted.say(b"$1\r\nA\r\n$1\r\nB\r\n$1\r\nC\r\n")
        assert await asyncio.gather(*calls) == [[b"A"], [b"B"], [b"C"]]
        assert len(scripted.writers) == 1


async def test_nothing_is_asked_without_commands(scripted):
    async with open_store(scripted.url, LONG) as client:
        assert await client.ask([], Deadline.after(LONG)) == []
    assert scripted.writers == []


async def test_a_silent_server_is_a_timeout_and_its_connection_is_not_used_again(scripted):
    async with open_store(scripted.url, 0.02) as client:
        with pytest.raises(FeatureStoreTimeout):
            await ask(client, "a")
        await scripted.until(lambda: scripted.closed == 1)
        with pytest.raises(FeatureStoreTimeout):
            await ask(client, "b")
        assert len(scripted.writers) == 2
        assert b"\r\nb\r\n" in scripted.heard


async def test_an_answer_after_the_deadline_is_not_given_to_the_next_call(scripted):
    async with open_store(scripted.url, LONG) as client:
        with pytest.raises(FeatureStoreTimeout):
            await ask(client, "a", deadline_s=0.05)
        later = ask(client, "b")
        await scripted.hears(b"\r\nb\r\n")
        scripted.say(b"$1\r\nA\r\n$1\r\nB\r\n")
        assert await later == [b"B"]
        assert len(scripted.writers) == 1


async def test_an_answer_for_a_caller_who_is_gone_is_not_given_to_the_next_call(scripted):
    async with open_store(scripted.url, LONG) as client:
        cancelled = ask(client, "a")
        await scripted.hears(b"\r\na\r\n")
        cancelled.cancel()
        later = ask(client, "b")
        await scripted.hears(b"\r\nb\r\n")
        scripted.say(b"$1\r\nA\r\n$1\r\nB\r\n")
        assert await later == [b"B"]


async def test_a_connection_that_was_lost_is_made_anew(scripted):
    async with open_store(scripted.url, LONG) as client:
        lost = ask(client, "a")
        await scripted.hears(b"\r\na\r\n")
        scripted.writers[0].close()
        with pytest.raises(FeatureStoreDown):
            await lost
        again = ask(client, "b")
        await scripted.hears(b"\r\nb\r\n")
        scripted.say(b"$1\r\nB\r\n")
        assert await again == [b"B"]


async def test_a_server_that_refuses_is_down():
    async with open_store("redis://127.0.0.1:1/0", LONG) as client:
        with pytest.raises(FeatureStoreDown):
            await ask(client, "a")


async def test_a_unix_socket_that_is_not_there_is_down(tmp_path):
    async with open_store(f"unix://{tmp_path}/none.sock", LONG) as client:
        with pytest.raises(FeatureStoreDown):
            await ask(client, "a")


async def test_nothing_is_sent_before_the_greeting_is_answered(scripted):
    async with open_store(scripted.url.replace("redis://", "redis://:pw@").replace("/0", "/7"), LONG) as client:
        call = ask(client, "a")
        await scripted.hears(b"SELECT\r\n$1\r\n7\r\n")
        assert b"AUTH\r\n$2\r\npw\r\n" in scripted.heard and b"GET" not in scripted.heard
        scripted.say(b"+OK\r\n+OK\r\n")
        await scripted.hears(b"\r\na\r\n")
        scripted.say(b"$1\r\nA\r\n")
        assert await call == [b"A"]


async def test_a_refused_greeting_is_down_and_nothing_is_sent(scripted):
    async with open_store(scripted.url.replace("/0", "/7"), LONG) as client:
        call = ask(client, "a")
        await scripted.hears(b"SELECT")
        scripted.say(b"-ERR DB index is out of range\r\n")
        with pytest.raises(FeatureStoreDown):
            await call
        await scripted.until(lambda: scripted.closed == 1)
        assert b"GET" not in scripted.heard


async def test_a_silent_greeting_is_a_timeout_and_what_waited_is_never_sent(scripted):
    async with open_store(scripted.url.replace("/0", "/7"), 0.02) as client:
        with pytest.raises(FeatureStoreTimeout):
            await ask(client, "a")
        await scripted.until(lambda: scripted.closed == 1)
    assert b"GET" not in scripted.heard


async def test_a_server_that_greets_slower_than_calls_give_up_is_reached(scripted):
    async with open_store(scripted.url.replace("/0", "/7"), 0.05) as client:
        for key in ("a", "b", "c"):
            with pytest.raises(FeatureStoreTimeout):
                await ask(client, key)
        scripted.say(b"+OK\r\n")
        call = ask(client, "d")
        await scripted.hears(b"\r\nd\r\n")
        scripted.say(b"$1\r\nD\r\n")
        assert await call == [b"D"]
    assert len(scripted.writers) == 1


async def test_who_waits_when_an_attempt_to_connect_ends_waits_for_the_next_one(scripted, monkeypatch):
    monkeypatch.setattr("loopwright.store.client.CONNECTING_S", 0.05)
    async with open_store(scripted.url.replace("/0", "/7"), LONG) as client:
        call = ask(client, "a")
        await scripted.until(lambda: scripted.heard.count(b"SELECT") == 2)
        scripted.say(b"+OK\r\n")
        await scripted.hears(b"\r\na\r\n")
        scripted.say(b"$1\r\nA\r\n")
        assert await call == [b"A"]


async def test_what_failed_while_it_waited_for_the_connection_is_never_sent(scripted):
    async with open_store(scripted.url.replace("/0", "/7"), LONG) as client:
        short, long = ask(client, "short", deadline_s=0.02), ask(client, "long")
        with pytest.raises(FeatureStoreTimeout):
            await short
        scripted.say(b"+OK\r\n")
        await scripted.hears(b"long")
        scripted.say(b"$1\r\nL\r\n")
        assert await long == [b"L"]
    assert b"short" not in scripted.heard


async def test_more_calls_than_the_bound_are_refused_at_once(scripted):
    async with open_store(scripted.url, LONG) as client:
        calls = [ask(client, "a") for _ in range(MOST_IN_FLIGHT)]
        await asyncio.sleep(0)
        with pytest.raises(FeatureStoreDown):
            await ask(client, "one more")
        await scripted.until(lambda: scripted.heard.count(b"GET") == MOST_IN_FLIGHT)
        scripted.say(b"$1\r\nA\r\n" * MOST_IN_FLIGHT)
        await asyncio.gather(*calls)
        last = ask(client, "z")
        await scripted.hears(b"\r\nz\r\n")
        scripted.say(b"$1\r\nZ\r\n")
        assert await last == [b"Z"]


async def test_closing_fails_who_waits(scripted):
    async with open_store(scripted.url, LONG) as client:
        call = ask(client, "a")
        await scripted.hears(b"\r\na\r\n")
    with pytest.raises(FeatureStoreDown):
        await call


@pytest.mark.integration
async def test_a_real_server_answers_over_tcp(redis_url):
    async with open_store(redis_url, 1.0) as client:
        big = bytes(range(256)) * 4096
        await client.ask([("SET", "client:big", big, "PX", 60_000)], Deadline.after(LONG))
        commands = [("GET", "client:big"), ("GET", "client:none"), ("EXISTS", "client:big")]
        assert await client.ask(commands, Deadline.after(LONG)) == [big, None, 1]
        with pytest.raises(FeatureStoreDown):
            await client.ask([("HGET", "client:big", "x")], Deadline.after(LONG))
        assert await client.ask([("EXISTS", "client:big")], Deadline.after(LONG)) == [1]
