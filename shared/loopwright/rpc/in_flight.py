"""`InFlightLimit`: how many calls a server works on at once, found by whether they end in time; `LimitLayer` asks it.

Additive increase, multiplicative decrease (Chiu and Jain, 1989), on lateness: calls in time grow the limit while it
is used, a late one shrinks it, once a round. What an overload taught is forgotten some time after it: a limit that is
not used does not grow, and the first burst after a quiet hour would be refused by a server with nothing to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_SHRINK = 0.8
_LEAST = 2
_ROUND_S = 0.1
"""Calls that expire unbegun shrink the limit at most this often; they have no round of their own."""
_UNLOADED_WEIGHT = 0.1
"""Weight of the newest call in the running mean of what a method takes when nothing else runs."""
_FORGOTTEN_S = 10.0
"""After so long without a late call the limit is at least what it was at the start. An overload that lasts grows a used
limit until calls are late again much sooner than that."""
_MOST_SHARE = 0.8
"""A call that needed more of its time than this is late, however slow its method is by nature."""


@dataclass(slots=True)
class Ticket:
    """One call that was let in.

    Attributes:
        method: what is called.
        given_s: seconds it had left when it came.
        started: seconds on the limit's clock.
        round: how often the limit had shrunk before.
        alone: nothing else was in flight.
        used: at least half of the limit was in use, so that its end says something about the limit.
    """

    method: str
    given_s: float
    started: float
    round: int
    alone: bool
    used: bool


class InFlightLimit:
    """The limit and what is in flight under it.

    Args:
        most: the limit never grows above this.
        start: the limit at the start.
        late_share: share of the time given after which a call is late.
        clock: monotonic seconds.
    """

    def __init__(self, most: int, start: int, late_share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(max(most, _LEAST))
        self._start = min(float(start), self._most)
        self._limit = self._start
        self._late_share = late_share
        self._clock = clock
        self._in_flight = 0
        self._round = 0
        self._shrunk_at = float("-inf")
        self._unloaded_s: dict[str, float] = {}

    @property
    def limit(self) -> int:
        """Calls that may be in flight now."""
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        """Calls that are."""
        return self._in_flight

    def enter(self, method: str, given_s: float) -> Ticket | None:
        """Lets a call in; None when the limit is reached."""
        now = self._clock()
        if self._limit < self._start and now - self._shrunk_at >= _FORGOTTEN_S:
            self._limit = self._start
        if self._in_flight >= self.limit:
            return None
        self._in_flight += 1
        used = 2 * self._in_flight >= self.limit
        return Ticket(method, given_s, now, self._round, self._in_flight == 1, used)

    def leave(self, ticket: Ticket, answered: bool) -> None:
        """Notes the end of a call; `answered` is False when it was refused, failed or was cancelled."""
        self._in_flight -= 1
        took = self._clock() - ticket.started
        if answered and ticket.alone:
            known = self._unloaded_s.get(ticket.method, took)
            self._unloaded_s[ticket.method] = known + _UNLOADED_WEIGHT * (took - known)
        if self._late(ticket, took):
            # Calls that came before the last decrease only tell once more what that one has answered.
            if ticket.round == self._round:
                self._shrink()
        elif answered and ticket.used:
            self._limit = min(self._most, self._limit + 1 / self._limit)

    def expired(self) -> None:
        """Notes a call whose time was over before it could be begun: the loop was too busy to take it in."""
        if self._clock() - self._shrunk_at >= _ROUND_S:
            self._shrink()

    def _shrink(self) -> None:
        self._limit = max(float(_LEAST), self._limit * _SHRINK)
        self._shrunk_at = self._clock()
        self._round += 1

    def _late(self, ticket: Ticket, took: float) -> bool:
        """Tells whether a call ended late.

        Where callers grant little more than the method takes alone, half of their time is no sign of load: then it
        is twice what the method takes alone. Who grants less than that learns nothing and teaches nothing.
        """
        unloaded, given = self._unloaded_s.get(ticket.method, 0.0), ticket.given_s
        if given < unloaded:
            return False
        return took > given * min(_MOST_SHARE, max(self._late_share, 2 * unloaded / given if given > 0 else 0.0))
