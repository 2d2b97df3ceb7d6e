import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.eventlog import make_event, ms_of, occurred_at_ms, order_key, payload_name, recorded_at_ms, set_ms
from loopwright.eventlog.types import Event
from loopwright.lifecycle import FixedClock

CLOCK = FixedClock(5_000, offset_ms=-1_000)


@given(st.integers(-(10**12), 10**14))
def test_milliseconds_survive_the_timestamp(milliseconds: int) -> None:
    timestamp = Timestamp()
    set_ms(timestamp, milliseconds)
    assert ms_of(timestamp) == milliseconds
    assert timestamp.ToMilliseconds() == milliseconds


def test_an_event_says_when_it_happened_and_when_it_was_recorded_in_mesh_time() -> None:
    event = make_event(b"i" * 16, 1_234, CLOCK, "ingest", client_event_id="7", clock_set=ClockSet(cause="test"))
    assert (occurred_at_ms(event), recorded_at_ms(event)) == (1_234, 4_000)
    assert payload_name(event) == "clock_set"
    assert order_key(event) == (1_234, "7", b"i" * 16)


def test_an_event_without_a_known_payload_has_no_payload_name() -> None:
    assert payload_name(Event()) == ""


@pytest.mark.parametrize("payload", [{}, {"nonsense": ClockSet()}, {"clock_set": ClockSet(), "item_upserted": None}])
def test_an_event_needs_exactly_one_known_payload(payload: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        make_event(b"i" * 16, 0, CLOCK, "ingest", **payload)


def test_an_event_id_has_sixteen_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        make_event(b"short", 0, CLOCK, "ingest", clock_set=ClockSet())


def test_order_is_time_then_client_id_then_event_id() -> None:
    def event(at: int, client: str, identity: bytes) -> Event:
        return make_event(identity * 16, at, CLOCK, "i", client_event_id=client, clock_set=ClockSet())

    ordered = [event(1, "b", b"z"), event(2, "a", b"a"), event(2, "a", b"b"), event(2, "b", b"a")]
    assert sorted(reversed(ordered), key=order_key) == ordered
