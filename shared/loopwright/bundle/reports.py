"""Tells the mesh which published bundles this replica can serve; every service that a bundle concerns runs one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, Self

from loopwright.bundle.activation import Published
from loopwright.bundle.feed import BundleFeed
from loopwright.bundle.model import PolicyBundle


class Reporter(Protocol):
    """The part of a replica's readiness reporter that is needed here."""

    async def loaded(self, kind: str, artefact: str) -> None:
        """Say that an artefact serves."""
        ...

    async def rejected(self, kind: str, artefact: str, reason: str) -> None:
        """Say that an artefact was refused, and why."""
        ...


def nothing_to_load(bundle: PolicyBundle) -> str:
    """Refuse nothing: for services that need only a bundle's numbers."""
    return ""


class BundleReports:
    """Reports each publication in a task that it owns; a failure shows in `wait`."""

    def __init__(
        self, feed: BundleFeed, reporter: Reporter, refusal: Callable[[PolicyBundle], str] = nothing_to_load
    ) -> None:
        """Take the started feed, the reporter, and what says why a bundle cannot be served: empty when it can."""
        self._feed = feed
        self._reporter = reporter
        self._refusal = refusal
        self._queue: asyncio.Queue[Published | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start reporting, what is published already included."""
        self._task = asyncio.create_task(self._report(), name="bundle reports")
        self._feed.on_published(self._queue.put_nowait)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Report what is still queued, then stop."""
        self._queue.put_nowait(None)
        await self.wait()

    async def wait(self) -> None:
        """Return when the reports ended; raises what ended them."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _report(self) -> None:
        while (published := await self._queue.get()) is not None:
            reason = self._refusal(published.bundle)
            if reason:
                await self._reporter.rejected("bundle", published.version, reason)
            else:
                await self._reporter.loaded("bundle", published.version)
