from __future__ import annotations

import asyncio

import pytest

from loopwright.faults import FeatureStoreDown
from loopwright.rpc import Deadline
from loopwright.store.wire import Exchange, Wire

GET = [("GET", "k")]


class Transport(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self, wire):
        super().__init__()
        self.written, self.aborted, self._wire = b"", False, wire
        wire.connection_made(self)

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.aborted

    def abort(self):
        if not self.aborted:
            self.aborted = True
            self._wire.connection_lost(None)


@pytest.fixture
async def gone():
    return []


@pytest.fixture
async def wire(gone):
    return Wire(gone.append)


@pytest.fixture
async def transport(wire):
    return Transport(wire)


@pytest.fixture
async def exchange():
    made = []

    def make(commands=GET, deadline=None):
        made.append(Exchange(commands, 5.0, deadline or Deadline.after(5.0), lambda exchange: None))
        return made[-1]

    yield make
    for one in made:
        one.rest()


async def test_commands_go_out_packed_and_as_they_come(wire, transport, exchange):
    wire.send(exchange([("SET", "k", b"\x00\xff", 7), ("GET", "k")]))
    wire.send(exchange([("PING",)]))
    assert transport.written == (
        b"*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\x00\xff\r\n$1\r\n7\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n"
    )


async def test_replies_go_to_their_exchanges_in_order_however_they_are_cut(wire, transport, exchange):
    first, second = exchange([("GET", "a"), ("MGET", "b", "c")]), exchange()
    wire.send(first)
    wire.send(second)
    for byte in b"$1\r\nA\r\n*2\r\n$-1\r\n:5\r\n$0\r\n\r\n":
        wire.data_received(bytes([byte]))
    assert first.answer.result() == [b"A", [None, 5]]
    assert second.answer.result() == [b""]


async def test_the_late_reply_of_a_cancelled_caller_is_read_over(wire, transport, exchange):
    first, second = exchange(), exchange()
    wire.send(first)
    wire.send(second)
    first.answer.cancel()
    wire.data_received(b"$4\r\nlate\r\n$4\r\nmine\r\n")
    assert second.answer.result() == [b"mine"]
    assert wire.usable


async def test_an_error_is_down_and_leaves_the_next_exchange_its_own_replies(wire, transport, exchange):
    first, second = exchange([("GET", "a"), ("GET", "b")]), exchange()
    wire.send(first)
    wire.send(second)
    wire.data_received(b"-WRONGTYPE no\r\n$1\r\nb\r\n$1\r\nc\r\n")
    assert isinstance(first.answer.exception(), FeatureStoreDown)
    assert second.answer.result() == [b"c"]


async def test_a_lost_connection_fails_all_who_wait_and_says_that_it_is_gone(wire, transport, exchange, gone):
    waiting = [exchange(), exchange()]
    for one in waiting:
        wire.send(one)
    transport.abort()
    assert [type(one.answer.exception()) for one in waiting] == [FeatureStoreDown] * 2
    assert wire in gone and not wire.usable and wire.lost.done()


@pytest.mark.parametrize("raw", [b"?what\r\n", b"$1\r\nA\r\n$1\r\nB\r\n"], ids=["no reply", "one too many"])
async def test_a_server_that_breaks_the_protocol_loses_the_connection(wire, transport, exchange, raw):
    wire.send(exchange())
    wire.data_received(raw)
    assert transport.aborted


async def test_a_retired_connection_is_closed_when_nobody_waits_for_it(wire, transport, exchange, gone):
    silent, waiting = exchange(), exchange()
    wire.send(silent)
    wire.send(waiting)
    silent.late()
    wire.retire()
    assert (gone, wire.usable, transport.aborted) == ([wire], False, False)
    wire.data_received(b"$4\r\nlate\r\n$4\r\nmine\r\n")
    assert waiting.answer.result() == [b"mine"]
    assert transport.aborted
    assert isinstance(silent.answer.exception(), Exception)
