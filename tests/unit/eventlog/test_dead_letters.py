import pytest

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.eventlog import DEAD_LETTERS, MemoryEventLog, Undecodable, set_aside
from loopwright.eventlog.dead_letters import MOST_BYTES
from loopwright.lifecycle import FixedClock
from loopwright.rpc import Deadline

BAD = Undecodable("actions", 2, 41, 18, b"k" * 16, b"\xff\x00", "UNDECODABLE", "00-aa-bb-01", 7)


async def test_a_record_set_aside_keeps_its_bytes_place_key_and_reason() -> None:
    log = MemoryEventLog(producer="projector")
    key, event = set_aside(BAD, BAD.reason, "wire type", clock=FixedClock(9), producer="projector")
    await log.append(DEAD_LETTERS, key, event, deadline=Deadline.after(1))
    [stored] = log.broker.records(DEAD_LETTERS)
    aside = stored.event_set_aside
    assert (aside.topic, aside.partition, aside.offset) == ("actions", 2, 41)
    assert (aside.key, aside.value, aside.traceparent) == (b"k" * 16, b"\xff\x00", "00-aa-bb-01")
    assert aside.reason == "UNDECODABLE: wire type"
    assert key == BAD.key


@pytest.mark.parametrize(("key", "left"), [(b"k", b"k"), (bytes(2 * MOST_BYTES), b"")])
async def test_a_record_for_which_an_event_has_no_room_is_set_aside_without_its_bytes(key: bytes, left: bytes) -> None:
    log = MemoryEventLog(producer="projector")
    large = BAD._replace(key=key, value=b"\xff" * MOST_BYTES)
    entry = set_aside(large, large.reason, "wire type", clock=FixedClock(9), producer="projector")
    await log.append_many(DEAD_LETTERS, [entry], deadline=Deadline.after(5))
    aside = entry[1].event_set_aside
    assert (aside.key, aside.value, aside.offset) == (left, b"", large.offset)
    size = len(key) + MOST_BYTES
    said = f"wire type; its {size} bytes are too many to be set aside and lie at its place alone"
    assert aside.reason == f"{large.reason}: {said}"


async def test_the_most_bytes_that_are_copied_fit_into_an_event() -> None:
    log = MemoryEventLog(producer="projector")
    large = BAD._replace(key=b"k", value=b"\xff" * (MOST_BYTES - 1))
    entry = set_aside(large, large.reason, "x" * 1000, clock=FixedClock(9), producer="projector")
    await log.append_many(DEAD_LETTERS, [entry], deadline=Deadline.after(5))
    assert entry[1].event_set_aside.value == large.value


def test_the_same_record_set_aside_again_is_the_same_fact() -> None:
    def identity(bad: Undecodable, at: int) -> bytes:
        event: Event = set_aside(bad, "LATE", "", clock=FixedClock(at), producer="projector")[1]
        return event.event_id

    assert identity(BAD, 1) == identity(BAD, 2)
    assert identity(BAD, 1) != identity(BAD._replace(offset=42), 1)
