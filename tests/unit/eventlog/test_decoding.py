import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.eventlog.decoding import decode, hand_over
from loopwright.eventlog.types import Event, Record, Undecodable
from loopwright.faults import CorruptRecord, UnknownPayload


def read(value: bytes) -> Record | Undecodable | None:
    return decode("control", 1, 2, b"key", value, "trace", 3)


@given(st.binary(max_size=200))
def test_no_bytes_break_decoding(value: bytes) -> None:
    found = read(value)
    assert found is None or found.value == value


def test_a_known_payload_is_a_record() -> None:
    found = read(Event(clock_set=ClockSet(cause="x")).SerializeToString())
    assert isinstance(found, Record)
    assert (found.event.clock_set.cause, found.traceparent, found.log_time_ms) == ("x", "trace", 3)


def test_a_payload_of_a_newer_build_is_unknown_and_keeps_its_bytes() -> None:
    newer = Event(event_id=b"i").SerializeToString() + bytes([0xC2, 0x3E, 0x00])  # field 1000, empty
    found = read(newer)
    assert isinstance(found, Undecodable)
    assert (found.reason, found.value) == ("UNKNOWN_PAYLOAD", newer)
    with pytest.raises(UnknownPayload, match="control/1@2"):
        hand_over(found, None)


def test_bytes_that_do_not_decode_raise_or_go_to_the_callback() -> None:
    found = read(b"\xff\xff")
    assert isinstance(found, Undecodable)
    with pytest.raises(CorruptRecord, match="control/1@2"):
        hand_over(found, None)
    taken: list[Undecodable] = []
    hand_over(found, taken.append)
    assert taken == [found]
