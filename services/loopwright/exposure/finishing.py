"""`Finishing`: work that, once begun, goes on to its end whatever becomes of the call that began it; the ledger's."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from loopwright.faults import Fault
from loopwright.telemetry import get_logger

T = TypeVar("T")

_LOG = get_logger(__name__)


class Finishing:
    """Tasks of one event loop, each kept until it ends; the work bounds its own time."""

    def __init__(self) -> None:
        self._begun: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._begun)

    async def run(self, work: Coroutine[Any, Any, T], within_s: float) -> T:
        """Return or raise what the work does; a caller whose time is over or who is cancelled goes, the work goes on.

        Then nobody is told how it ends, so a failure is logged.

        Raises:
            TimeoutError: The work has not ended within `within_s` seconds.
        """
        task = self._begin(work)
        try:
            # Unlike an await of the task, this is cancelled alone.
            await asyncio.wait([task], timeout=within_s)
            if not task.done():
                raise TimeoutError
        except (asyncio.CancelledError, TimeoutError):
            task.add_done_callback(_log_failure)
            raise
        return task.result()

    def leave(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin work that nobody waits for; a failure is logged."""
        self._begin(work).add_done_callback(_log_failure)

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        return task

    async def drained(self, within_s: float) -> None:
        """Return when all work has ended; what has not within `within_s` seconds is cut off, and that is logged."""
        try:
            async with asyncio.timeout(within_s):
                while self._begun:
                    await asyncio.wait(self._begun)
        except TimeoutError:
            left = set(self._begun)
            _LOG.warning("work is cut off by the stop", extra={"tasks": len(left)})
            for task in left:
                task.cancel()
            await asyncio.wait(left)


def _log_failure(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        reason = error.reason if isinstance(error, Fault) else type(error).__name__
        _LOG.warning("work failed after its caller had gone", extra={"reason": reason})
