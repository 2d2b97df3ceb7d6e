"""Identities are stable: a changed hash would orphan every row and record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.ids import (
    LOGICAL_PARTITIONS,
    decision_partition,
    decision_wall_ms,
    event_id,
    item_id,
    item_key,
    logical_partition,
    logical_partitions,
    make_decision_id,
    name_id,
    physical_partition,
    subject_of,
)


def test_known_ids_never_change() -> None:
    assert item_id("242") == 0xADAC8CEE0F17203F
    assert subject_of("196", anonymous=False, key=b"k").hex() == "b9ae1285f9f770a5ccd30a94305a62a2"
    assert event_id("a", b"b", 3).hex() == "79a1949d19e815ed1ea009bed3f0fed0"


def test_a_user_and_a_visitor_of_the_same_name_are_two_subjects() -> None:
    assert subject_of("7", anonymous=False, key=b"k") != subject_of("7", anonymous=True, key=b"k")


def test_another_subject_key_gives_another_subject() -> None:
    assert subject_of("7", anonymous=False, key=b"k") != subject_of("7", anonymous=False, key=b"l")


def test_the_empty_name_has_no_id() -> None:
    assert name_id("") == 0
    assert name_id("drama") != 0


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_event_ids_keep_parts_apart(parts: list[str]) -> None:
    assert event_id(*parts) != event_id(*parts, "")
    assert event_id("".join(parts) + "x") != event_id(*parts, "x") or len(parts) == 0


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**48 - 1))
def test_a_decision_id_says_where_and_when_to_look(subject: bytes, wall_ms: int) -> None:
    decision = make_decision_id(wall_ms, subject, b"123456789")
    assert decision_partition(decision) == logical_partition(subject)
    assert decision_wall_ms(decision) == wall_ms


def test_a_decision_id_wants_nine_bytes_of_entropy() -> None:
    with pytest.raises(ValueError, match="9 bytes"):
        make_decision_id(1, b"s" * 16, b"12345678")


@pytest.mark.parametrize("partitions", [1, 2, 4, 8, 16, 32, 64])
def test_logical_partitions_never_split_over_physical_ones(partitions: int) -> None:
    homes = [physical_partition(lp, partitions) for lp in range(LOGICAL_PARTITIONS)]
    assert sorted(set(homes)) == list(range(partitions))
    assert item_key(5) == b"\x00" * 7 + b"\x05"


@given(st.lists(st.binary(max_size=20)))
def test_many_keys_have_the_partitions_that_they_have_one_by_one(keys: list[bytes]) -> None:
    assert logical_partitions(keys) == [logical_partition(key) for key in keys]
