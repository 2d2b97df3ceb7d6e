"""Bookkeeping that both logs' readers share: starts, stops and the positions between them."""

from __future__ import annotations

from collections.abc import Iterable

from loopwright.eventlog.refusals import OffsetGone
from loopwright.eventlog.types import Offsets


class Progress:
    """Where a reader stands in every partition it was given, and where it stops."""

    def __init__(self, places: Iterable[tuple[str, int]], starts: Offsets, wanted: Offsets, stop: Offsets | None):
        """Place the reader.

        Args:
            places: The partitions to read.
            starts: First offset the log still has of each.
            wanted: Where the caller wants to begin.
            stop: Where to end, exclusive.

        Raises:
            ValueError: `stop` leaves out a partition.
            OffsetGone: A wanted offset other than 0 is below what the log still has.
        """
        self.next: Offsets = {}
        for place in places:
            first, offset = starts[place], wanted.get(place, 0)
            if 0 < offset < first:
                raise gone(place, offset, first)
            self.next[place] = max(offset, first)
        if stop is not None and (left_out := self.next.keys() - stop.keys()):
            raise ValueError(f"stop leaves out {sorted(left_out)}")
        self.stop = None if stop is None else {place: stop[place] for place in self.next}

    def limit(self, place: tuple[str, int]) -> int | None:
        """Return the first offset not to be read, None without a stop."""
        return None if self.stop is None else self.stop[place]

    def finished(self, place: tuple[str, int]) -> bool:
        """Say whether a partition is read up to its stop."""
        return self.stop is not None and self.next[place] >= self.stop[place]

    def done(self) -> bool:
        """Say whether every partition is."""
        return self.stop is not None and all(self.finished(place) for place in self.next)

    def seek(self, offsets: Offsets) -> None:
        """Move the named partitions.

        Raises:
            KeyError: One is not read here.
        """
        for place in offsets:
            if place not in self.next:
                raise KeyError(f"{place} is not read here")
        self.next.update(offsets)


def gone(place: tuple[str, int], offset: int, first: int | None = None) -> OffsetGone:
    """Return the fault for records that retention has deleted."""
    left = "" if first is None else f"; the first one left is {first}"
    return OffsetGone(f"{place[0]}/{place[1]} no longer has offset {offset}{left}")
