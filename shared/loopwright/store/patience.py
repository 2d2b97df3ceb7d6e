"""`Patience`: a wait for the store that ends after a ceiling of the store's own time, or at the call's deadline."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from loopwright.rpc import Deadline

RESOLUTION_S = 0.001
"""Less than this is not waited for: uvloop's timers count whole milliseconds."""


class Timers(Protocol):
    """The part of an event loop that a wait needs."""

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> asyncio.TimerHandle:
        """Call back after `delay` seconds."""
        ...

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> asyncio.Handle:
        """Call back in the loop's next turn."""
        ...


class Patience(ABC):
    """A wait that begins now; its owner calls `rest` when there is nothing left to wait for.

    What this thread computes meanwhile is granted again: the store may have shared its core, and nobody here listened.
    Before the wait is given up the loop takes two turns, which read the sockets once: a loop that was late finds its
    timer due before it has looked at an answer that has long been there (libuv runs timers before it reads).
    """

    __slots__ = ("_clock", "_computed", "_computed_s", "_handle", "_instant", "_timers", "_told", "_until")

    def __init__(
        self, ceiling_s: float, deadline: Deadline, timers: Timers, computed: Callable[[], float] = time.thread_time
    ) -> None:
        """Begin to wait.

        Args:
            ceiling_s: Most seconds of the store's time.
            deadline: When the caller is gone; its clock counts the wait.
            timers: The running loop.
            computed: CPU seconds of this thread.
        """
        self._clock, self._instant = deadline.clock, deadline.instant
        self._timers, self._computed = timers, computed
        self._computed_s = computed()
        self._told = False
        now = self._clock()
        self._until = now + ceiling_s
        self._handle: asyncio.Handle = timers.call_later(max(0.0, min(self._until, self._instant) - now), self._look)

    def rest(self) -> None:
        """Wait no more."""
        self._handle.cancel()

    @abstractmethod
    def late(self) -> None:
        """Take that the deadline has passed; the wait goes on to its ceiling, for nobody."""

    @abstractmethod
    def over(self) -> None:
        """Take that the store has not answered within its ceiling."""

    def _look(self) -> None:
        computed_s, now = self._computed(), self._clock()
        self._until += computed_s - self._computed_s
        self._computed_s = computed_s
        if self._until - now < RESOLUTION_S:
            self._handle = self._timers.call_soon(self._after_reading, self._end)
        elif not self._told and self._instant - now < RESOLUTION_S:
            self._handle = self._timers.call_soon(self._after_reading, self._tell)
        else:
            self._wait(now)

    def _after_reading(self, then: Callable[[], None]) -> None:
        self._handle = self._timers.call_soon(then)

    def _wait(self, now: float) -> None:
        next_s = self._until if self._told else min(self._until, self._instant)
        self._handle = self._timers.call_later(max(0.0, next_s - now), self._look)

    def _tell(self) -> None:
        self._told = True
        self._wait(self._clock())
        self.late()

    def _end(self) -> None:
        self.late()
        self.over()
