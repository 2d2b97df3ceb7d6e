from hypothesis import given
from hypothesis import strategies as st

from loopwright.featurespec import codec
from loopwright.featurespec.folds import sorted_times
from loopwright.featurespec.folds.sorted_times import SortedTimes

entries = st.lists(st.tuples(st.integers(0, 2**64 - 1) | st.integers(0, 5), st.integers(0, 2**50)), max_size=60)


@given(entries)
def test_the_earliest_and_the_latest_times_are_encoded_as_a_sorted_map_is(entries: list[tuple[int, int]]) -> None:
    earliest, latest = SortedTimes(), SortedTimes()
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for key, at_ms in entries:
        earliest.earliest(key, at_ms)
        latest.latest(key, at_ms)
        first[key] = min(at_ms, first.get(key, at_ms))
        last[key] = max(at_ms, last.get(key, at_ms))
        assert (earliest.encode(), latest.encode()) == (codec.pairs(first), codec.pairs(last))
    assert len(earliest) == len(first)


@given(entries, st.integers(1, 20))
def test_the_newest_are_those_of_the_greatest_times_and_then_ids(entries: list[tuple[int, int]], count: int) -> None:
    times = SortedTimes()
    for key, at_ms in entries:
        times.latest(key, at_ms)
    known = dict(entries) and {key: max(at for k, at in entries if k == key) for key, _ in entries}
    newest = dict(sorted(known.items(), key=lambda entry: (entry[1], entry[0]))[-count:])
    times.keep_newest(count)
    assert times.encode() == codec.pairs(newest)


@given(entries)
def test_stored_times_go_on_where_they_were(entries: list[tuple[int, int]]) -> None:
    times = SortedTimes()
    for key, at_ms in entries:
        times.earliest(key, at_ms)
    reader = codec.Reader(b"\x01" + times.encode(), "group", 1)
    again = SortedTimes.of(*reader.pairs())
    for both in (times, again):
        both.earliest(3, 0)
    assert again.encode() == times.encode()


def test_the_bytes_are_little_endian_wherever_they_are_made(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    times = SortedTimes()
    times.earliest(1, 2)
    expected = times.encode()
    swapped = SortedTimes.of(*(column.byteswap() for column in codec.Reader(b"\x01" + expected, "group", 1).pairs()))
    monkeypatch.setattr(sorted_times.sys, "byteorder", "big")
    assert swapped.encode() == expected
