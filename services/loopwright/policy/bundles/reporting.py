"""`ReadinessReports`: policy's own word on every published bundle; it needs nothing of one but its numbers."""

from __future__ import annotations

import asyncio
from typing import Self

from loopwright.bundle import BundleFeed, Published
from loopwright.lifecycle import ReadinessReporter


class ReadinessReports:
    """Reports each publication as loaded, in a task that it owns; a failure shows in `wait`."""

    def __init__(self, feed: BundleFeed, reporter: ReadinessReporter) -> None:
        """Takes the started feed and the process's reporter."""
        self._feed = feed
        self._reporter = reporter
        self._queue: asyncio.Queue[Published | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._report(), name="policy readiness")
        self._feed.on_published(self._queue.put_nowait)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._queue.put_nowait(None)
        await self.wait()

    async def wait(self) -> None:
        """Returns when the reports ended; raises what ended them."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _report(self) -> None:
        while (published := await self._queue.get()) is not None:
            await self._reporter.loaded("bundle", published.version)
