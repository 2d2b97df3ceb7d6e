"""How far each logical partition of each topic is folded; stored with the rows, so no restart misses or repeats any."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from loopwright.domain.ids import LOGICAL_PARTITIONS
from loopwright.eventlog import Offsets, Record, Topic
from loopwright.projector import keys
from loopwright.projector.store import StageStore, Write


class Marks:
    """The next offset of every (topic, logical partition) of the physical partitions read."""

    def __init__(self, topics: Sequence[Topic], physical: int, partitions: Collection[int]) -> None:
        """Describe what is read: topics, the number of physical partitions, and those of them that are ours."""
        self._topics = [topic.name for topic in topics]
        self._physical = physical
        self.logical = [lp for lp in range(LOGICAL_PARTITIONS) if lp % physical in partitions]
        self._next: dict[tuple[str, int], int] = {}
        self.fresh = True

    async def load(self, store: StageStore) -> None:
        """Read the stored marks; `fresh` says that there were none at all."""
        places = [(topic, lp) for topic in self._topics for lp in self.logical]
        stored = await store.values([keys.mark(lp, topic) for topic, lp in places])
        self.fresh = not any(stored)
        self._next = {place: int(value or 0) for place, value in zip(places, stored, strict=True)}

    def start(self) -> Offsets:
        """Return where to read on: for each physical partition the lowest mark of its logical ones."""
        start: Offsets = {}
        for (topic, lp), offset in self._next.items():
            place = topic, lp % self._physical
            start[place] = min(offset, start.get(place, offset))
        return start

    def highest(self) -> Offsets:
        """Return the highest mark in each physical partition: some records before it may not be folded yet."""
        highest: Offsets = {}
        for (topic, lp), offset in self._next.items():
            place = topic, lp % self._physical
            highest[place] = max(offset, highest.get(place, offset))
        return highest

    def is_new(self, record: Record) -> bool:
        """Say whether a record is not folded yet."""
        return record.offset >= self._next.get((record.topic, record.logical), 0)

    def note(self, records: Sequence[Record], writes: dict[int, Write]) -> None:
        """Add the marks after these records to the writes of their partitions."""
        for record in records:
            place = record.topic, record.logical
            self._next[place] = max(record.offset + 1, self._next.get(place, 0))
        for topic, lp in {(record.topic, record.logical) for record in records}:
            self._write(topic, lp, writes)

    def sweep(self, position: Offsets, writes: dict[int, Write]) -> None:
        """Move all partitions on to `position`, up to which everything is folded: those without records too.

        Without it a partition that gets no records would hold the restart back, and retention would pass it.
        """
        for place in self._next:
            topic, lp = place
            reached = position.get((topic, lp % self._physical), 0)
            if reached > self._next[place]:
                self._next[place] = reached
                self._write(topic, lp, writes)

    def _write(self, topic: str, lp: int, writes: dict[int, Write]) -> None:
        value = str(self._next[topic, lp]).encode()
        writes.setdefault(lp, Write()).values[keys.mark(lp, topic)] = value
