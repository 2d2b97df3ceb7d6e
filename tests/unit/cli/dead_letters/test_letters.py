import pytest
from tests.bad_events import UNKNOWN_FIELD, Bad, corrupt_values, organic_event, poison_events

from loopwright.cli.dead_letters.letters import Letter, Place, event_of, flaw_now, parse_place, read_letters
from loopwright.domain.ids import logical_partition
from loopwright.eventlog import (
    DEAD_LETTERS,
    ORGANIC,
    UNKNOWN_PAYLOAD,
    Event,
    MemoryBroker,
    MemoryEventLog,
    Undecodable,
    set_aside,
)
from loopwright.faults import InvalidRequest
from loopwright.lifecycle import FixedClock
from loopwright.rpc import Deadline

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def put(broker: MemoryBroker, offset: int, bad: Bad, reason: str = "POISON", detail: str = "why") -> None:
    """Set a record aside as the projector does."""
    record = Undecodable(
        bad.topic.name, 1, offset, logical_partition(bad.key), bad.key, bad.value, reason, TRACE, broker.wall_ms()
    )
    key, event = set_aside(record, reason, detail, clock=FixedClock(5_000), producer="projector")
    log = MemoryEventLog(broker, producer="projector")
    await log.append(DEAD_LETTERS, key, event, deadline=Deadline.after(5))


def letter(topic: str, value: bytes) -> Letter:
    return Letter(Place(topic, 0, 1), "POISON", "", b"k" * 16, value, TRACE, 0, 0)


async def test_a_letter_tells_the_source_record_and_why_once_however_often_it_was_set_aside() -> None:
    broker = MemoryBroker()
    (bad,) = poison_events(1)
    for _ in range(2):
        await put(broker, 17, bad, detail="subject: is short")
    (found,) = await read_letters(MemoryEventLog(broker, producer="cli"))
    assert found.place == Place("organic", 1, 17) and str(found.place) == "organic/1@17"
    assert (found.reason, found.detail) == ("POISON", "subject: is short")
    assert (found.key, found.value, found.copies) == (bad.key, bad.value, 2)
    assert found.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert found.set_aside_at_ms == 5_000


async def test_letters_come_newest_first_and_only_since_the_time_asked() -> None:
    now = 1_000
    broker = MemoryBroker(wall_ms=lambda: now)
    for offset, bad in enumerate(poison_events(4)):
        now = 1_000 * (offset + 1)
        await put(broker, offset, bad)
    log = MemoryEventLog(broker, producer="cli")
    assert [found.place.offset for found in await read_letters(log)] == [3, 2, 1, 0]
    assert [found.place.offset for found in await read_letters(log, 3_000)] == [3, 2]


async def test_a_letter_that_does_not_decode_does_not_hide_the_others() -> None:
    broker = MemoryBroker()
    (bad,) = poison_events(1)
    await put(broker, 1, bad)
    broker.inject(DEAD_LETTERS, b"k", b"\xff")
    assert len(await read_letters(MemoryEventLog(broker, producer="cli"))) == 1


def test_bad_records_are_still_bad() -> None:
    for bad in poison_events(60) + corrupt_values(12):
        assert flaw_now(letter(bad.topic.name, bad.value)), bad.what


def test_a_record_that_this_build_understands_has_no_flaw() -> None:
    good = organic_event(1, b"s" * 16).SerializeToString()
    assert flaw_now(letter("organic", good)) == ""
    assert event_of(letter("organic", good)) is not None
    assert flaw_now(letter("actions", good)) == "actions does not carry organic_interaction"
    assert "rebuild" in flaw_now(letter("item_facts", good))
    assert "rebuild" in flaw_now(letter("nowhere", good))
    newer = Event(event_id=b"i" * 16).SerializeToString() + UNKNOWN_FIELD
    assert "unknown" in flaw_now(letter(ORGANIC.name, newer))
    assert event_of(letter(ORGANIC.name, newer)) is None
    ignorable = Event(event_id=b"i" * 16, may_ignore=True).SerializeToString() + UNKNOWN_FIELD
    assert "may be ignored" in flaw_now(letter(ORGANIC.name, ignorable))
    assert UNKNOWN_PAYLOAD


@pytest.mark.parametrize("text", ["organic/1", "organic@5", "organic/x@5", "organic/1@-5", "Organic/1@5", ""])
def test_a_place_is_written_in_one_way(text: str) -> None:
    assert parse_place("item_facts/3@17") == Place("item_facts", 3, 17)
    with pytest.raises(InvalidRequest):
        parse_place(text)
