import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.eventlog import Event, Record
from loopwright.faults import CorruptRecord, PoisonEvent
from loopwright.projector.isolation import poisonous, without


class Sum:
    """Adds offsets. What is poison is half taken before it raises; `late` poison raises when encoded."""

    taken = 0

    def __init__(self, state: int, bad: set[int], late: set[int], fault: Exception | None = None) -> None:
        self._sum, self._bad, self._late, self._fault = state, bad, late, fault or KeyError("a user's name")
        self._spoilt = False

    def apply(self, record: Record) -> None:
        Sum.taken += 1
        self._sum += record.offset
        self._spoilt |= record.offset in self._late
        if record.offset in self._bad:
            raise self._fault

    def encode(self) -> int:
        if self._spoilt:
            raise OverflowError("too large")
        return self._sum


def records(count: int) -> list[Record]:
    return [Record("organic", 0, offset, 0, b"", Event(), b"", "", 0) for offset in range(count)]


@given(st.integers(0, 60), st.sets(st.integers(0, 59)), st.sets(st.integers(0, 59)))
def test_all_that_raises_is_found_and_all_else_is_folded(count: int, bad: set[int], late: set[int]) -> None:
    some = records(count)
    found, state = poisonous(some, 1000, lambda state: Sum(state, bad, late))
    expected = sorted((bad | late) & set(range(count)))
    assert [poison.record.offset for poison in found] == expected
    good = without(some, found)
    assert state == 1000 + sum(record.offset for record in good)
    assert [record.offset for record in good] == [n for n in range(count) if n not in bad | late]


def test_many_poisonous_records_cost_a_few_folds_of_each_record() -> None:
    Sum.taken = 0
    found, _ = poisonous(records(4000), 0, lambda state: Sum(state, set(range(0, 4000, 2)), set()))
    assert len(found) == 2000
    assert Sum.taken <= 3 * 4000


def test_the_detail_names_the_type_and_tells_no_data() -> None:
    [poison], _ = poisonous(records(1), 0, lambda state: Sum(state, {0}, set()))
    assert poison.detail == "the fold raised KeyError"
    [poison], _ = poisonous(records(1), 0, lambda state: Sum(state, {0}, set(), PoisonEvent("columns do not fit")))
    assert poison.detail == "columns do not fit"


def test_for_want_of_memory_no_record_is_to_blame() -> None:
    with pytest.raises(MemoryError):
        poisonous(records(3), 0, lambda state: Sum(state, {1}, set(), MemoryError()))


def test_a_stored_state_that_does_not_decode_is_not_the_records_fault() -> None:
    def restore(state: int) -> Sum:
        raise CorruptRecord("a row")

    with pytest.raises(CorruptRecord):
        poisonous(records(3), 0, restore)
