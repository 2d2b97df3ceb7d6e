from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.eventlog import DedupWindow, Event, Freshness, Record, classify_all, make_event
from loopwright.faults import CorruptRecord, PoisonEvent
from loopwright.lifecycle import FixedClock

LATER = FixedClock(10**13)


def event(number: int, at_ms: int, clock: FixedClock = LATER) -> Event:
    return make_event(number.to_bytes(16, "big"), at_ms, clock, "test", clock_set=ClockSet())


stream = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5_000)), max_size=60).map(
    # an id is a function of its fact, so one id always has one time
    lambda pairs: [event(number, dict(reversed(pairs))[number]) for number, _ in pairs]
)


def test_a_repeated_event_is_a_duplicate() -> None:
    window = DedupWindow()
    assert window.classify(event(1, 100)) is Freshness.FRESH
    assert window.classify(event(1, 100)) is Freshness.DUPLICATE


def test_an_event_older_than_the_window_is_late_seen_or_not() -> None:
    window = DedupWindow(window_ms=1_000)
    window.fresh([event(1, 0), event(2, 1_001)])
    assert window.classify(event(1, 0)) is Freshness.LATE
    assert window.classify(event(3, 0)) is Freshness.LATE
    assert window.classify(event(4, 1)) is Freshness.FRESH


def test_the_window_is_a_day_of_event_time() -> None:
    window = DedupWindow()
    window.classify(event(1, 86_400_000))
    assert window.classify(event(2, 0)) is Freshness.FRESH
    window.classify(event(3, 86_400_001))
    assert window.classify(event(4, 0)) is Freshness.LATE


def test_a_client_clock_that_runs_ahead_does_not_make_others_late() -> None:
    window = DedupWindow(window_ms=1_000)
    window.classify(event(1, 10**12, FixedClock(500)))
    assert window.classify(event(2, 400, FixedClock(500))) is Freshness.FRESH


@given(stream, st.data())
@settings(max_examples=200)
def test_events_appended_again_anywhere_later_have_no_effect(events: list[Event], data: st.DataObject) -> None:
    plain = DedupWindow(window_ms=2_000)
    expected = plain.fresh(events)
    again = list(events)
    for _ in range(data.draw(st.integers(0, 10))):
        if again:
            source = data.draw(st.integers(0, len(again) - 1))
            target = data.draw(st.integers(source + 1, len(again)))
            again.insert(target, again[source])
    doubled = DedupWindow(window_ms=2_000)
    assert doubled.fresh(again) == expected
    assert doubled.encode() == plain.encode()


@given(stream, st.integers(1, 8))
def test_no_event_counts_twice_however_small_the_memory(events: list[Event], max_ids: int) -> None:
    window = DedupWindow(window_ms=2_000, max_ids=max_ids)
    fresh = [found.event_id for found in window.fresh(events + events)]
    assert len(fresh) == len(set(fresh))
    assert len(window) <= max_ids


@given(stream, stream)
def test_a_window_goes_on_after_storage_as_if_nothing_had_happened(before: list[Event], after: list[Event]) -> None:
    kept = DedupWindow(window_ms=2_000)
    kept.fresh(before)
    stored = DedupWindow.decode(kept.encode())
    assert stored.encode() == kept.encode()
    assert [stored.classify(e) for e in after] == [kept.classify(e) for e in after]
    assert stored.encode() == kept.encode()


@given(stream)
def test_memory_holds_the_window_and_no_more(events: list[Event]) -> None:
    window = DedupWindow(window_ms=1_000)
    newest = max((found.occurred_at.ToMilliseconds() for found in window.fresh(events)), default=0)
    inside = {e.event_id for e in events if e.occurred_at.ToMilliseconds() >= newest - 1_000}
    assert len(window) <= len(inside)
    assert window.horizon_ms <= newest - 1_000 or not events


def test_a_forgotten_event_is_fresh_again_and_the_others_stay_known() -> None:
    window = DedupWindow()
    window.fresh([event(1, 10), event(2, 5), event(3, 20)])
    window.forget({event(2, 5).event_id})
    assert window.encode() == DedupWindow.decode(window.encode()).encode()
    assert [window.classify(e) for e in (event(1, 10), event(2, 5), event(3, 20))] == [
        Freshness.DUPLICATE,
        Freshness.FRESH,
        Freshness.DUPLICATE,
    ]


def test_an_id_of_another_length_is_poison() -> None:
    with pytest.raises(PoisonEvent):
        DedupWindow().classify(Event(event_id=b"short"))


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b"XXXX" + b[4:], lambda b: b + b"0", lambda b: b""])
def test_a_damaged_window_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    window = DedupWindow()
    window.classify(event(1, 5))
    with pytest.raises(CorruptRecord):
        DedupWindow.decode(change(window.encode()))


def test_a_window_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        DedupWindow(window_ms=0)


def record(found: Event, place: int) -> Record:
    logical = int.from_bytes(found.event_id, "big") % 2
    return Record("organic", 0, place, logical, b"", found, found.SerializeToString(), "", 0)


# Of this century, long and short enough for batches whose times are read from their bytes, repeated or all new.
long_stream = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 5_000)), min_size=60, max_size=200).map(
    lambda pairs: [event(number, 1_700_000_000_000 + dict(reversed(pairs))[number]) for number, _ in pairs]
)
rising = st.lists(st.integers(0, 200), max_size=200).map(
    lambda steps: [event(n, 1_700_000_000_000 + at_ms) for n, at_ms in enumerate(accumulate(steps))]
)


@given(st.one_of(stream, long_stream, rising), st.sampled_from([1, 7, 20, 64, 200]), st.sampled_from([5, 1_000_000]))
@settings(max_examples=200)
def test_records_judged_in_batches_of_any_size_are_judged_as_one_by_one(
    events: list[Event], size: int, most: int
) -> None:
    singly = {logical: DedupWindow(2_000, most) for logical in (0, 1)}
    together = {logical: DedupWindow(2_000, most) for logical in (0, 1)}
    records = [record(found, place) for place, found in enumerate(events)]
    expected = [singly[one.logical].classify(one.event) for one in records]
    found = [
        freshness
        for start in range(0, len(records), size)
        for freshness in classify_all(records[start : start + size], lambda _, logical: together[logical])
    ]
    assert found == expected
    assert [window.encode() for window in together.values()] == [window.encode() for window in singly.values()]


def test_a_batch_that_holds_the_same_event_twice_counts_it_once() -> None:
    window = DedupWindow()
    assert not window.take_all([b"i" * 16, b"i" * 16], [5, 5])
    assert len(window) == 0
    found = classify_all([record(event(n, 5), place) for place, n in enumerate((2, 4, 2))], lambda *_: window)
    assert found == [Freshness.FRESH, Freshness.FRESH, Freshness.DUPLICATE]


def test_an_event_recorded_before_it_occurred_is_placed_at_its_recording() -> None:
    window = DedupWindow(window_ms=100)
    ahead, other = event(2, 10**6, FixedClock(50)), event(4, 60, FixedClock(70))
    assert classify_all([record(ahead, 0), record(other, 1)], lambda *_: window) == [Freshness.FRESH] * 2
    assert window.horizon_ms == -40
