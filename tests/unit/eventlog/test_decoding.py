from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.eventlog.decoding import decode, decode_all, hand_over
from loopwright.eventlog.types import Event, Record, Undecodable
from loopwright.faults import CorruptRecord, UnknownPayload


class Raw(NamedTuple):
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: int


KNOWN = Event(event_id=b"i", clock_set=ClockSet(cause="x")).SerializeToString()
IGNORABLE = Event(event_id=b"i", may_ignore=True).SerializeToString()


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


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([KNOWN, IGNORABLE, None])), max_size=12))
def test_a_batch_is_read_as_its_records_are_one_by_one(values: list[bytes | None]) -> None:
    raws = [
        Raw(place, b"key", value, (("traceparent", b"t%d" % (place // 3)),), place)
        for place, value in enumerate(values)
    ]
    expected = [decode("control", 1, r.offset, b"key", r.value or b"", f"t{r.offset // 3}", r.offset) for r in raws]
    set_aside: list[Undecodable] = []
    found = decode_all("control", 1, raws, set_aside.append)
    assert found == [read for read in expected if isinstance(read, Record)]
    assert set_aside == [read for read in expected if isinstance(read, Undecodable)]


def test_a_batch_without_a_callback_stops_at_its_first_bad_record() -> None:
    raws = [Raw(0, b"k", KNOWN, (), 0), Raw(1, None, b"\xff", (), 0)]
    with pytest.raises(CorruptRecord, match="control/1@1"):
        decode_all("control", 1, raws, None)


def test_other_headers_than_the_trace_say_nothing() -> None:
    [found] = decode_all("control", 1, [Raw(0, None, KNOWN, (("other", b"x"),), 0)], None)
    assert (found.traceparent, found.key) == ("", b"")
