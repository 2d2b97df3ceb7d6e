"""How far the log reaches in mesh time: the newest fact of each event topic, and whether the clock is fixed.

Read on demand from where the last reading ended; what this process appends itself is noted without being read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loopwright.domain.enums import Purpose
from loopwright.eventlog import (
    ACTIONS,
    CATALOG,
    DECISIONS,
    IMPRESSIONS,
    ORGANIC,
    PROFILES,
    EventLog,
    Offsets,
    Position,
    Record,
    SkipAndCount,
    Topic,
    covers,
    occurred_at_ms,
    recorded_at_ms,
)
from loopwright.faults import DeadlineExceeded
from loopwright.ingest.convert import fact_flaw
from loopwright.ingest.recent_ids import RecentIds
from loopwright.rpc import Deadline

EVENT_TOPICS = (CATALOG, PROFILES, ORGANIC, ACTIONS, IMPRESSIONS, DECISIONS)
_BEGINNING = -(1 << 62)


@dataclass(slots=True)
class TopicMark:
    """The newest `occurred_at` of a topic, in milliseconds; an order-free fold.

    `settled_ms` leaves out the newest batch as read from the log (the rows that share the newest `recorded_at`): it may
    be torn by a crash, and its missing rows must not be too late when the importer sends it again.
    """

    newest_ms: int = _BEGINNING
    settled_ms: int = _BEGINNING
    batch_recorded_ms: int = _BEGINNING
    batch_newest_ms: int = _BEGINNING

    def fold(self, occurred_ms: int, recorded_ms: int) -> None:
        """Take one fact from the log."""
        self.newest_ms = max(self.newest_ms, occurred_ms)
        if recorded_ms > self.batch_recorded_ms:
            self.settled_ms = max(self.settled_ms, self.batch_newest_ms)
            self.batch_recorded_ms, self.batch_newest_ms = recorded_ms, occurred_ms
        elif recorded_ms == self.batch_recorded_ms:
            self.batch_newest_ms = max(self.batch_newest_ms, occurred_ms)
        else:
            self.settled_ms = max(self.settled_ms, occurred_ms)

    def settle(self, newest_ms: int) -> None:
        """Note a batch that was acknowledged whole."""
        self.newest_ms = max(self.newest_ms, newest_ms)
        self.settled_ms = max(self.settled_ms, newest_ms)


@dataclass(slots=True)
class Watermarks:
    """The running maxima of the event topics.

    Attributes:
        log: Where to read.
        purpose_of: Purpose of a SlateDecided event.
        recent: Gets the id of every organic fact.
        skipped: Counts the records that no watermark is taken from.
        clock_fixed: A SERVE decision is on the log, as of the last `refresh`.
    """

    log: EventLog
    purpose_of: Callable[[Record], int]
    recent: RecentIds = field(default_factory=RecentIds)
    skipped: SkipAndCount = field(default_factory=lambda: SkipAndCount("watermarks"))
    clock_fixed: bool = False
    _marks: dict[str, TopicMark] = field(default_factory=lambda: {topic.name: TopicMark() for topic in EVENT_TOPICS})
    _read: Offsets = field(default_factory=dict)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def newest_ms(self, topic: Topic | None = None) -> int | None:
        """Return the newest fact of a topic, or of all; None when there is none."""
        marks = self._marks.values() if topic is None else [self._marks[topic.name]]
        return _known(max(mark.newest_ms for mark in marks))

    def settled_ms(self, topic: Topic) -> int | None:
        """Return what lateness on a topic is judged by; None: nothing is late."""
        return _known(self._marks[topic.name].settled_ms)

    def appended(self, topic: Topic, positions: Sequence[Position], newest_ms: int) -> None:
        """Note a batch of ours that was acknowledged whole; what others appended in between is read later."""
        self._marks[topic.name].settle(newest_ms)
        for partition, offset in sorted(positions):
            if self._read.get((topic.name, partition), 0) == offset:
                self._read[topic.name, partition] = offset + 1

    async def refresh(self, deadline: Deadline) -> None:
        """Read everything that is on the log now.

        Raises:
            DeadlineExceeded: The deadline passed first; the next call goes on from there.
            LogUnavailable: The log does not answer.
        """
        async with self._reading:
            ends = await self.log.ends(EVENT_TOPICS)
            if covers(self._read, ends):
                return
            start = {place: self._read.get(place, 0) for place in ends}
            async with self.log.reader(EVENT_TOPICS, start=start, stop=ends, on_undecodable=self.skipped) as reader:
                while not reader.done():
                    if deadline.expired:
                        raise DeadlineExceeded("the log was not read to its end in time")
                    for record in await reader.read():
                        self._fold(record)
                    self._read |= reader.position()

    def _fold(self, record: Record) -> None:
        event = record.event
        if flaw := fact_flaw(event):
            self.skipped.invalid(record, flaw)
            return
        self._marks[record.topic].fold(occurred_at_ms(event), recorded_at_ms(event))
        if record.topic == ORGANIC.name:
            self.recent.add(event.event_id)
        elif record.topic == DECISIONS.name:
            self.clock_fixed = self.clock_fixed or self.purpose_of(record) == Purpose.SERVE


def _known(ms: int) -> int | None:
    return ms if ms > _BEGINNING else None
