"""Reports every published bundle as ready: the front door needs nothing of a bundle but its numbers."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from loopwright.bundle import Published
from loopwright.lifecycle import ReadinessReporter


class BundleReadiness:
    """Takes publications from the feed's callback and reports them in a task of its own."""

    def __init__(self, reporter: ReadinessReporter) -> None:
        """Take the process's reporter."""
        self._reporter = reporter
        self._pending: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def published(self, published: Published) -> None:
        """Note a publication."""
        self._pending.put_nowait(published.version)

    async def __aenter__(self) -> Self:
        """Start reporting."""
        self._task = asyncio.create_task(self._report())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reporting."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _report(self) -> None:
        while True:
            await self._reporter.loaded("bundle", await self._pending.get())
