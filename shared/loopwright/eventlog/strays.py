"""Cancellations that nobody asked for; loops that must not end unseen keep them out.

A task that ends by one looks as if it had been stopped: a group of tasks ignores it, and nothing is logged.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class StrayCancellation(RuntimeError):
    """Something inside a task was cancelled, and the cancellation came out though nobody cancelled the task."""


class no_strays:
    """Makes a failure of a cancellation that leaves the block while nobody cancels the running task."""

    def __enter__(self) -> None:
        """Begin; in a task."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """End.

        Raises:
            StrayCancellation: Nobody asked for the cancellation that ends the block.
        """
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and not task.cancelling():
            raise StrayCancellation("a cancellation that nobody asked for") from error
