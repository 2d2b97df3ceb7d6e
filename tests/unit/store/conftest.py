"""A server whose answers the test writes itself, and timers of a loop that the test turns by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from loopwright.rpc import Deadline


class Timers:
    """Call-backs in the order of their times; a monotonic clock and a CPU clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.computed_s = 7.0
        self.loop = asyncio.new_event_loop()  # makes the handles, and never runs
        self._waiting: list[tuple[float, asyncio.Handle]] = []

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> asyncio.TimerHandle:
        handle = self.loop.call_later(delay, callback, *args)
        self._waiting.append((self.now + delay, handle))
        return handle

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> asyncio.Handle:
        handle = self.loop.call_soon(callback, *args)
        self._waiting.append((self.now, handle))
        return handle

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(self.now + seconds, lambda: self.now)

    def computed(self) -> float:
        return self.computed_s

    def turn(self) -> int:
        """Run what is due and return how many that were; what they add waits for the next turn."""
        due = [entry for entry in self._waiting if entry[0] <= self.now + 1e-9]
        self._waiting = [entry for entry in self._waiting if entry not in due]
        live = [handle for _, handle in sorted(due, key=lambda entry: entry[0]) if not handle.cancelled()]
        for handle in live:
            handle._run()
        return len(live)

    def until(self, now: float) -> None:
        """Let an idle loop come to a time: every timer runs when it is due."""
        while waiting := [at for at, handle in self._waiting if at <= now and not handle.cancelled()]:
            self.now = max(self.now, min(waiting))
            self.turn()
        self.now = now


@pytest.fixture
def timers() -> Any:
    timers = Timers()
    yield timers
    timers.loop.close()


class Scripted:
    """A server that keeps what it is sent, and says what the test tells it to say."""

    def __init__(self) -> None:
        self.heard = b""
        self.writers: list[asyncio.StreamWriter] = []
        self.closed = 0
        self.url = ""
        self._changed = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while data := await reader.read(65_536):
            async with self._changed:
                self.heard += data
                self._changed.notify_all()
        async with self._changed:
            self.closed += 1
            self._changed.notify_all()
        writer.close()

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(met)

    async def hears(self, text: bytes) -> None:
        await self.until(lambda: text in self.heard)

    def say(self, raw: bytes, connection: int = -1) -> None:
        self.writers[connection].write(raw)


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    scripted = Scripted()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    async with server:
        yield scripted
        for writer in scripted.writers:
            writer.close()
