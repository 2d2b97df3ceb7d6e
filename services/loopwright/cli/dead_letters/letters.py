"""The topic of dead letters read back: one `Letter` a source record, however often it was set aside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from loopwright.eventlog import (
    CATALOG,
    DEAD_LETTERS,
    UNKNOWN_PAYLOAD,
    Event,
    EventLog,
    Offsets,
    Record,
    SkipAndCount,
    Topic,
    Undecodable,
    occurred_at_ms,
    replay,
    topic_named,
)
from loopwright.eventlog.decoding import decode
from loopwright.eventlog.topics import ACTIONS, DECISIONS, IMPRESSIONS, ORGANIC, PROFILES
from loopwright.faults import FieldViolation, InvalidRequest
from loopwright.featurespec.folds.catalog import item_of
from loopwright.featurespec.folds.validity import flaw_of

SOURCES: tuple[Topic, ...] = (CATALOG, PROFILES, DECISIONS, IMPRESSIONS, ACTIONS, ORGANIC)
"""Topics whose records can go back: facts from outside. Derived records come from a rebuild, not from here."""

_PLACE = re.compile(r"([a-z_]+)/([0-9]{1,9})@([0-9]{1,18})")


class Place(NamedTuple):
    """Where the source record lies, written `topic/partition@offset`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """Return the written form."""
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A source record that was set aside.

    Attributes:
        place: Where the source record lies.
        reason: UNDECODABLE, UNKNOWN_PAYLOAD, INVALID or POISON.
        detail: What was wrong with it, empty when the reason says it all.
        key: The source record's key.
        value: Its bytes, untouched.
        traceparent: Its W3C trace context, empty without one.
        set_aside_at_ms: Mesh time at which it was set aside.
        logged_at_ms: Wall time at which the log took the letter.
        copies: Letters about this record: a projector that restarts may write one again.
    """

    place: Place
    reason: str
    detail: str
    key: bytes
    value: bytes
    traceparent: str
    set_aside_at_ms: int
    logged_at_ms: int
    copies: int = 1

    @property
    def trace_id(self) -> str:
        """Trace of the request that wrote the record, 32 hex digits; empty without one."""
        parts = self.traceparent.split("-")
        return parts[1] if len(parts) == 4 else ""


def parse_place(text: str) -> Place:
    """Return the place that a text names.

    Raises:
        InvalidRequest: It is not `topic/partition@offset`.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        rule = "must be topic/partition@offset, as `loopwright dlq list` prints it"
        raise InvalidRequest(f"{text!r} {rule}", violations=[FieldViolation("PLACE", "place", rule)])
    return Place(found[1], int(found[2]), int(found[3]))


async def read_letters(log: EventLog, since_wall_ms: int | None = None) -> list[Letter]:
    """Return every letter, newest first.

    Args:
        log: The event log.
        since_wall_ms: Only letters that the log took at or after this wall time.

    Raises:
        LogUnavailable: The log does not answer.
    """
    start: Offsets | None = None
    if since_wall_ms is not None:
        start = await log.offsets_at(DEAD_LETTERS, since_wall_ms)
    found: dict[Place, Letter] = {}
    async for records in replay(log, [DEAD_LETTERS], start=start, on_undecodable=SkipAndCount("dlq")):
        for record in records:
            letter = _letter(record)
            copies = found[letter.place].copies + 1 if letter.place in found else 1
            found[letter.place] = Letter(
                **{name: getattr(letter, name) for name in Letter.__slots__ if name != "copies"}, copies=copies
            )
    return sorted(found.values(), key=lambda letter: (-letter.logged_at_ms, letter.place))


def event_of(letter: Letter) -> Event | None:
    """Return the event if this build can decode it."""
    read = _decoded(letter)
    return read.event if isinstance(read, Record) else None


def flaw_now(letter: Letter) -> str:
    """Return why this build could still not use the record, "" when it could."""
    if letter.place.topic not in {topic.name for topic in SOURCES}:
        return "its topic holds derived records: they come back by a rebuild"
    read = _decoded(letter)
    if read is None:
        return "its payload is unknown here and may be ignored"
    if isinstance(read, Undecodable):
        return "its payload is unknown here" if read.reason == UNKNOWN_PAYLOAD else "its bytes do not decode"
    payload = read.event.WhichOneof("payload")
    if payload not in topic_named(letter.place.topic).payloads:
        return f"{letter.place.topic} does not carry {payload}"
    if flaw := flaw_of(read.event):
        return flaw
    return "names no item" if letter.place.topic == CATALOG.name and not item_of(read.event) else ""


def _decoded(letter: Letter) -> Record | Undecodable | None:
    place = letter.place
    return decode(
        place.topic, place.partition, place.offset, letter.key, letter.value, letter.traceparent, letter.logged_at_ms
    )


def _letter(record: Record) -> Letter:
    aside = record.event.event_set_aside
    reason, _, detail = aside.reason.partition(": ")
    return Letter(
        Place(aside.topic, aside.partition, aside.offset),
        reason,
        detail,
        aside.key,
        aside.value,
        aside.traceparent,
        occurred_at_ms(record.event),
        record.log_time_ms,
    )
