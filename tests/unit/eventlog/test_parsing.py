import pytest

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.eventlog import Event, parsing
from loopwright.eventlog.parsing import parse_all


def values(count: int) -> list[bytes]:
    causes = ("", "x" * 200, "y" * 20_000)  # lengths of one, two and three bytes
    return [Event(clock_set=ClockSet(cause=causes[n % 3])).SerializeToString() for n in range(count)]


@pytest.mark.parametrize("together", [1, 2, 512])
def test_events_of_all_lengths_come_back_in_their_order(monkeypatch: pytest.MonkeyPatch, together: int) -> None:
    monkeypatch.setattr(parsing, "MOST_TOGETHER", together)
    wanted = values(7)
    found = parse_all(wanted)
    assert found is not None
    assert [event.SerializeToString() for event in found] == wanted


def test_no_values_are_no_events() -> None:
    assert parse_all([]) == []


def test_one_value_that_does_not_decode_is_told() -> None:
    assert parse_all([*values(2), b"\xff"]) is None


def test_an_event_outlives_its_batch() -> None:
    found = parse_all(values(3))
    assert found is not None
    kept = found[1]
    del found
    assert kept.clock_set.cause == "x" * 200
