"""`Alarms`: callbacks at instants of which nearly all are called off, such as deadlines; `within` is a time-out.

A timer of the loop costs as much as thirty function calls to set and to call off, most of it in the loop's next turn;
every call being served, every stage and every model asks for one. So a loop has one timer for all of them, set to the
earliest when it is set, which finds as a rule that there is nothing left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

_RESOLUTION_S = 0.001
"""An alarm rings up to this early: uvloop's timers count whole milliseconds."""
_NEVER = float("inf")


class Alarm:
    """One callback that is still to come, at `at` seconds of the loop's clock."""

    __slots__ = ("at", "ring")

    def __init__(self, at: float, ring: Callable[[], None]) -> None:
        self.at, self.ring = at, ring


class Alarms:
    """The alarms of one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the loop, whose thread alone may call."""
        self._now, self._call_later, self._report = loop.time, loop.call_later, loop.call_exception_handler
        self._set: dict[Alarm, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = _NEVER

    def after(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        """Has `ring` called `seconds` from now, unless it is called off before; never within this call."""
        now = self._now()
        alarm = Alarm(now + seconds, ring)
        self._set[alarm] = None
        if alarm.at < self._next:
            self._wake(alarm.at, now)
        return alarm

    def call_off(self, alarm: Alarm) -> None:
        """Calls an alarm off; without effect when it has rung."""
        self._set.pop(alarm, None)

    def _wake(self, at: float, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = at
        self._timer = self._call_later(max(0.0, at - now), self._look)

    def _look(self) -> None:
        now = self._now()
        due = [alarm for alarm in self._set if alarm.at - now <= _RESOLUTION_S]
        for alarm in due:
            del self._set[alarm]
        self._timer, self._next = None, _NEVER
        if self._set:
            self._wake(min(alarm.at for alarm in self._set), now)
        for alarm in due:
            try:
                alarm.ring()
            except Exception as error:  # as the loop does with a callback of its own: the others ring all the same
                self._report({"message": "an alarm failed", "exception": error})


_OF_LOOP: dict[asyncio.AbstractEventLoop, Alarms] = {}


def alarms() -> Alarms:
    """Returns the alarms of the running loop."""
    loop = asyncio.get_running_loop()
    found = _OF_LOOP.get(loop)
    if found is None:
        for ended in [one for one in _OF_LOOP if one.is_closed()]:
            del _OF_LOOP[ended]
        found = _OF_LOOP[loop] = Alarms(loop)
    return found


class within:
    """Cancels what the block awaits when the seconds are over, and makes a TimeoutError of it, as `asyncio.timeout`."""

    __slots__ = ("_alarm", "_alarms", "_cancelling", "_expired", "_seconds", "_task")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        """Begin; in a task.

        Raises:
            RuntimeError: no task runs.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be given a time")
        self._task, self._expired, self._cancelling = task, False, task.cancelling()
        self._alarms = alarms()
        self._alarm = self._alarms.after(self._seconds, self._expire)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """End.

        Raises:
            TimeoutError: the time was over, and nothing but that cancelled the block.
        """
        self._alarms.call_off(self._alarm)
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()
