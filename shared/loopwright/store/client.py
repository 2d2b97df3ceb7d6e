"""`StoreClient`: exchanges with the store on the request path, over one connection; hydration and exposure hold one.

A frozen or dead store costs a call at most its ceiling. Nothing is tried twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from loopwright.faults import Fault, FeatureStoreDown, FeatureStoreTimeout, translate
from loopwright.rpc import Deadline
from loopwright.rpc.alarms import within
from loopwright.store.address import Address
from loopwright.store.wire import Command, Exchange, Wire

_FAULTS: Mapping[type[Exception], type[Fault]] = {TimeoutError: FeatureStoreTimeout, OSError: FeatureStoreDown}

MOST_IN_FLIGHT = 64
"""More calls at once than that are refused as if the server were down: a frozen one must not be met with ever more."""

CONNECTING_S = 0.5
"""Longest connecting, TLS and greeting included. No call waits that long, but one attempt serves all who come
meanwhile: cut off with the first of them, a server that answers slower than calls come would never be reached."""


class StoreClient:
    """Calls share a connection, made when the first one needs it and made anew when it was lost or went silent."""

    def __init__(self, address: Address, ceiling_s: float, computed: Callable[[], float] = time.thread_time) -> None:
        """Describe the client; nothing is connected yet.

        Args:
            address: Of the server.
            ceiling_s: Most seconds of the store's time that an exchange takes, a wait for the connection included (see
                `Patience`).
            computed: CPU seconds of this thread.
        """
        self._address = address
        self._ceiling_s = ceiling_s
        self._computed = computed
        self._wire: Wire | None = None
        self._wires: set[Wire] = set()
        self._opening: asyncio.Task[Wire] | None = None
        self._queued: list[Exchange] = []
        self._in_flight = 0

    async def ask(self, commands: Sequence[Command], deadline: Deadline) -> list[Any]:
        """Return the replies to the commands, in order: bytes, int, None, or a list of such; all in one exchange.

        Raises:
            FeatureStoreTimeout: They were not there in time.
            FeatureStoreDown: The server refused or dropped the connection, or answered a command with an error.
        """
        if not commands:
            return []
        if self._in_flight >= MOST_IN_FLIGHT:
            raise FeatureStoreDown()
        exchange = Exchange(commands, self._ceiling_s, deadline, self._silent, self._computed)
        if self._wire is not None and self._wire.usable:
            self._wire.send(exchange)
        else:
            self._queued.append(exchange)
            self._open()
        self._in_flight += 1
        try:
            return await exchange.answer
        finally:
            self._in_flight -= 1

    async def aclose(self) -> None:
        """Drop the connection and fail all who wait."""
        queued, self._queued = self._queued, []
        for exchange in queued:
            exchange.fail(FeatureStoreDown())
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        for wire in list(self._wires):
            wire.abort()
            await wire.lost

    def _open(self) -> None:
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._connected())
            self._opening.add_done_callback(self._opened)

    async def _connected(self) -> Wire:
        until = Deadline.after(CONNECTING_S)
        with translate(_FAULTS), within(until.remaining()):
            wire = await self._address.connect(lambda: Wire(self._gone))
        self._wires.add(wire)
        wire.lost.add_done_callback(lambda _: self._wires.discard(wire))
        if not self._address.greeting:
            return wire
        greeting = Exchange(self._address.greeting, until.remaining(), until, self._silent, self._computed)
        wire.send(greeting)
        try:
            await greeting.answer
        except BaseException:
            wire.abort()
            raise
        return wire

    def _opened(self, opening: asyncio.Task[Wire]) -> None:
        self._opening = None
        if opening.cancelled():
            return
        error = opening.exception()
        if isinstance(error, FeatureStoreTimeout):
            if self._queued:  # they have time left to wait for another connection
                self._open()
            return
        queued, self._queued = self._queued, []
        if error is None and not opening.result().usable:
            error = FeatureStoreDown()
        if error is not None:
            for exchange in queued:
                exchange.fail(error if isinstance(error, Exception) else FeatureStoreDown())
            return
        self._wire = opening.result()
        for exchange in queued:
            if exchange.answer.done():  # told that it failed: what it would write must not be written any more
                exchange.rest()
            else:
                self._wire.send(exchange)

    def _silent(self, exchange: Exchange) -> None:
        if exchange.wire is not None:
            exchange.wire.retire()
        elif exchange in self._queued:
            self._queued.remove(exchange)

    def _gone(self, wire: Wire) -> None:
        if self._wire is wire:
            self._wire = None


@asynccontextmanager
async def open_store(url: str, ceiling_s: float) -> AsyncIterator[StoreClient]:
    """Yield a client of the server at a URL (see `Address.of`), whose exchanges end after `ceiling_s`."""
    client = StoreClient(Address.of(url), ceiling_s)
    try:
        yield client
    finally:
        await client.aclose()
