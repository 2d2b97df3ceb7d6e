"""`Deadline`: the instant a call has to be over; read from the call, cut into budgets, passed down."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Self

import grpc

from loopwright.faults import DeadlineExceeded, DeadlineMissing

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant on a monotonic clock.

    Attributes:
        instant: seconds on `clock`.
        clock: the monotonic clock that `instant` belongs to.
    """

    instant: float
    clock: Clock = field(default=time.monotonic, compare=False, repr=False)

    @classmethod
    def of(cls, context: grpc.aio.ServicerContext[Any, Any]) -> Deadline:
        """Returns the deadline of the call being served.

        Raises:
            DeadlineMissing: the caller set none.
        """
        current = _CURRENT.get()
        return current if current is not None else cls.received(context.time_remaining())

    @classmethod
    def received(cls, remaining_s: float | None, clock: Clock = time.monotonic) -> Self:
        """Returns the deadline of a call that has `remaining_s` seconds left.

        Raises:
            DeadlineMissing: `remaining_s` is None.
        """
        if remaining_s is None:
            raise DeadlineMissing()
        return cls(clock() + remaining_s, clock)

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Self:
        """Returns the deadline `seconds` from now."""
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Returns the seconds left, never negative: what a stub's `timeout` or `asyncio.timeout` takes."""
        return max(0.0, self.instant - self.clock())

    @property
    def expired(self) -> bool:
        """Whether the instant has passed."""
        return self.clock() >= self.instant

    def child(self, budget_s: float, reserve_s: float = 0.0) -> Deadline:
        """Returns the deadline of a part of the work: `budget_s` from now, or `reserve_s` before this one."""
        return Deadline(min(self.clock() + budget_s, self.instant - reserve_s), self.clock)

    def check(self) -> None:
        """Stops work that nobody waits for any more.

        Raises:
            DeadlineExceeded: the instant has passed.
        """
        if self.expired:
            raise DeadlineExceeded()


_CURRENT: ContextVar[Deadline | None] = ContextVar("loopwright_deadline", default=None)


def current_deadline() -> Deadline | None:
    """Returns the deadline of the call that this task serves, None outside of a call."""
    return _CURRENT.get()


class bound:
    """Makes `deadline` the current one in the block: channels cut their calls to it."""

    __slots__ = ("_deadline", "_token")

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def __enter__(self) -> Deadline:
        """Make it current."""
        self._token = _CURRENT.set(self._deadline)
        return self._deadline

    def __exit__(self, kind: object, error: object, stack: object) -> None:
        """Make the former one current again."""
        _CURRENT.reset(self._token)
