"""Processes that are started again take turns, so that starting them does not starve those that still answer.

A start costs a core for about a second: a whole service that comes back at once would take all of a small machine.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TURN_S = 3.0
"""A turn ends after this even if the start goes on: one that waits for Kafka must not hold up the others."""


class Turns:
    """All cores but one may be busy with starts, at least one."""

    def __init__(self, at_once: int | None = None, turn_s: float = TURN_S) -> None:
        """Take how many may start at once, by default by the machine's cores, and the longest turn in seconds."""
        self._free = asyncio.Semaphore(at_once or max(1, (os.cpu_count() or 1) - 1))
        self._turn_s = turn_s

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a turn; it ends with the block, or before it after the longest turn."""
        await self._free.acquire()
        held = True

        def end() -> None:
            nonlocal held
            if held:
                held = False
                self._free.release()

        longest = asyncio.get_running_loop().call_later(self._turn_s, end)
        try:
            yield
        finally:
            longest.cancel()
            end()
