"""Which partitions a reader has heard nothing of for too long; pure, the readers feed it and act on what it says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

Place = tuple[str, int]

MOST_DOUBLINGS = 5
"""A place that stays silent however often the reader is opened again is tried after 15 s, 30 s, ... and every 8 min."""
_ASKS = 3
"""Questions to the log per `stuck_after_s`, while a place is silent and the log does not answer either."""


class Watchdog:
    """Notes signs of life of each partition.

    A sign of life is a position that moved, or a fresh answer of the log that nothing is left to read. Partitions
    without one for `stuck_after_s` are suspects. Whoever opened a reader again for them says so: until they give a
    sign, the wait for the next time doubles, so that no oddity of a log can keep a reader opening for ever.
    """

    def __init__(
        self, places: Iterable[Place], stuck_after_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the partitions to watch.

        Args:
            places: (topic, partition) each.
            stuck_after_s: Longest silence of a healthy partition, in seconds.
            clock: Monotonic seconds.
        """
        self._stuck_after_s, self._clock = stuck_after_s, clock
        self._heard_at = dict.fromkeys(places, clock())
        self._read_at = self._asked_at = clock()
        self._accused: set[Place] = set()
        self._doublings = 0

    @property
    def patience_s(self) -> float:
        """Silence after which a partition is a suspect now, in seconds."""
        return self._stuck_after_s * 2.0**self._doublings

    def reading(self) -> None:
        """Note that a read begins. Silence while nobody read says nothing, so it starts anew after a long pause."""
        now = self._clock()
        if now - self._read_at > self._stuck_after_s / _ASKS:
            self._heard_at = dict.fromkeys(self._heard_at, now)

    def has_read(self) -> None:
        """Note that a read ended."""
        self._read_at = self._clock()

    def heard(self, places: Iterable[Place]) -> None:
        """Note a sign of life of each."""
        now = self._clock()
        for place in places:
            self._heard_at[place] = now
            self._accused.discard(place)
        if not self._accused:
            self._doublings = 0

    def forget(self, place: Place) -> None:
        """Stop watching a partition that is read to its end."""
        self._heard_at.pop(place, None)
        self._accused.discard(place)

    def suspects(self) -> list[Place]:
        """Return the partitions that have been silent too long, [] while it is too early to ask the log again."""
        now = self._clock()
        if now - self._asked_at < self._stuck_after_s / _ASKS:
            return []
        patience = self.patience_s
        return [place for place, heard_at in self._heard_at.items() if now - heard_at >= patience]

    def asked(self) -> None:
        """Note that the log was asked whether it answers at all."""
        self._asked_at = self._clock()

    def opened_again(self, suspects: Iterable[Place]) -> None:
        """Note that the reader was opened again for these; every partition gets its whole time anew."""
        now = self._clock()
        self._doublings = min(MOST_DOUBLINGS, self._doublings + 1)
        self._accused |= set(suspects)
        self._heard_at = dict.fromkeys(self._heard_at, now)
