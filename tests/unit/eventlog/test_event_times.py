"""What is read from the bytes of a batch is what the decoded events say one by one."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.eventlog import Event, Record
from loopwright.eventlog.event_times import event_time, event_times

PLAIN = Event(
    event_id=bytes(16),
    occurred_at=Timestamp(seconds=1_700_000_000, nanos=7_000_000),
    recorded_at=Timestamp(seconds=1_700_000_001),
    producer="ingest",
    clock_set=ClockSet(cause="x"),
).SerializeToString()

seconds = st.one_of(
    st.integers(1 << 28, (1 << 35) - 1),
    st.sampled_from([0, 1, -1, 1 << 28, 1 << 35, 253402300799, -(2**63), 2**63 - 1]),
)
nanos = st.one_of(st.just(0), st.integers(0, 999_999_999), st.sampled_from([-1, 999_999, 1_000_000, 2**31 - 1]))
times = st.one_of(st.none(), st.builds(lambda s, n: Timestamp(seconds=s, nanos=n), seconds, nanos))
written = st.builds(
    lambda identity, occurred, recorded, producer, ignored, cause: Event(
        event_id=identity,
        occurred_at=occurred,
        recorded_at=recorded,
        producer=producer,
        may_ignore=ignored,
        clock_set=ClockSet(cause=cause),
    ).SerializeToString(),
    st.sampled_from([bytes(16), b"i" * 16, b"", b"short"]),
    times,
    times,
    st.sampled_from(["", "ingest", "x" * 200]),
    st.booleans(),
    st.sampled_from(["", "x", "y" * 300, "z" * 70_000]),
)
# Not as an encoder writes them: fields twice, in another order, unknown, and varints longer than they need to be.
odd = st.sampled_from(
    [
        PLAIN + bytes.fromhex("1202080a"),
        PLAIN + bytes.fromhex("1a020801"),
        bytes.fromhex("1a0608e4e2cfaa06") + PLAIN,
        PLAIN + bytes.fromhex("c23e00"),
        PLAIN + bytes.fromhex("c2bb0100"),
        PLAIN.replace(b"\x22\x06ingest", b"\x22\x86\x00ingest"),
        PLAIN.replace(b"\x22\x06ingest", b"\xa2\x00\x06ingest"),
        PLAIN.replace(b"\x22\x06ingest", b"\x22\x86\x80\x80\x80\x00ingest"),
        PLAIN[:18],
    ]
)


def record(value: bytes, *, kept: bool = True) -> Record:
    return Record("control", 0, 0, 0, b"", Event.FromString(value), value if kept else b"", "", 0)


@given(st.lists(st.one_of(written, written, odd), max_size=8), st.booleans())
@settings(max_examples=300)
def test_the_times_of_a_batch_are_those_of_its_events(values: list[bytes], kept: bool) -> None:
    records = [record(PLAIN)] * 64 + [record(value, kept=kept) for value in values] + [record(PLAIN)]
    assert event_times(records).tolist() == [event_time(one.event) for one in records]


def test_events_as_they_are_written_are_not_asked() -> None:
    records = [record(PLAIN)._replace(event=Event())] * 100
    assert set(event_times(records).tolist()) == {1_700_000_000_007}


def test_few_records_are_asked_one_by_one() -> None:
    assert event_times([record(PLAIN)]).tolist() == [1_700_000_000_007]
    assert event_times([]).tolist() == []
