"""The library's own way through a fetch, record by record, is what handing over whole batches is held against."""

from __future__ import annotations

import gc
import weakref
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from hypothesis import given
from hypothesis import strategies as st

from loopwright.eventlog.kafka_fetched import take_batches

PLACE, NONE, ZSTD, CONTROL = TopicPartition("topic", 0), 0, 4, 0x20


def batch(first: int, offsets: list[int], size: int, compression: int = NONE, attributes: int = 0) -> bytes:
    """A batch of `size` offsets from `first` on, of which compaction left these."""
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 100_000)
    for offset in offsets:
        headers = [("traceparent", b"t%d" % offset)] if offset % 2 else []
        builder.append(offset - first, 5 + offset, b"key" if offset % 3 else None, b"value %d" % offset, headers)
    raw = bytearray(builder.build())
    raw[:8] = first.to_bytes(8, "big")
    raw[23:27] = (size - 1).to_bytes(4, "big")  # the last offset outlives its record
    raw[22] |= attributes
    raw[17:21] = calc_crc32c(bytes(raw[21:])).to_bytes(4, "big")
    return bytes(raw)


class Assignment:
    """Where a consumer stands in its one partition."""

    active = True

    def __init__(self, position: int) -> None:
        self.position, self.paused = position, False

    def state_value(self, _: TopicPartition) -> Assignment:
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


def fetched(raw: bytes, position: int, *, whole: bool) -> tuple[FetchResult, Assignment]:
    assignment = Assignment(position)
    records = PartitionRecords(PLACE, MemoryRecords(raw), None, position, None, None, True, 0)
    result = FetchResult(PLACE, assignment=assignment, partition_records=records, backoff=0)
    if whole:
        fetcher = SimpleNamespace(_records=OrderedDict())
        consumer: Any = SimpleNamespace(_fetcher=fetcher)
        take_batches(consumer)
        fetcher._records[PLACE] = result
    return result, assignment


def said(record: Any) -> tuple[Any, ...]:
    return record.offset, record.key, record.value, tuple(record.headers), record.timestamp


def drained(result: FetchResult, assignment: Assignment, most: int | None) -> list[tuple[Any, ...]]:
    found = []
    while result.has_more():
        taken = result.getall(most)
        assert most is None or len(taken) <= most
        if taken:
            assert assignment.position > taken[-1].offset
        found += [said(record) for record in taken]
    return found


@st.composite
def fetches(draw: st.DrawFn) -> tuple[bytes, int]:
    raw, first = b"", 0
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    for size in sizes:
        left = [first + place for place in range(size) if draw(st.booleans())]
        attributes = CONTROL if draw(st.integers(0, 5)) == 0 else 0
        raw += batch(first, left or [first], size, draw(st.sampled_from([NONE, ZSTD])), attributes)
        first += size
    return raw, draw(st.integers(0, sizes[0] - 1))  # a broker begins with the batch that holds the position


@given(fetches(), st.sampled_from([1, 2, 5, None]))
def test_whole_batches_bring_what_the_library_brings_record_by_record(
    fetch: tuple[bytes, int], most: int | None
) -> None:
    expected_at, found_at = (fetched(*fetch, whole=whole) for whole in (False, True))
    assert drained(*found_at, most) == drained(*expected_at, most)
    assert found_at[1].position == expected_at[1].position


def test_records_come_without_a_wrapper() -> None:
    result, _ = fetched(batch(0, [0, 1, 2], 3), 0, whole=True)
    assert not any(isinstance(record, ConsumerRecord) for record in result.getall(10)), "the library is made otherwise"


def test_a_batch_that_fails_its_checksum_raises_and_the_position_stays_before_it() -> None:
    damaged = bytearray(batch(2, [2, 3], 2))
    damaged[-1] ^= 1
    result, assignment = fetched(batch(0, [0, 1], 2) + bytes(damaged), 0, whole=True)
    assert len(result.getall(2)) == 2
    with pytest.raises(CorruptRecordException):
        result.getall(2)
    assert assignment.position == 2
    assert not result.has_more()  # so that it is fetched again


def test_what_was_fetched_before_a_seek_or_a_pause_is_not_handed_over() -> None:
    for change in ({"position": 1}, {"paused": True}):
        result, assignment = fetched(batch(0, [0, 1, 2], 3), 0, whole=True)
        vars(assignment).update(change)
        assert result.getall(10) == []
        assert not result.has_more()


@pytest.mark.parametrize("most", [0, 1, 100])
def test_a_fetch_leaves_no_cycles_behind_read_or_not(most: int) -> None:
    gc.disable()
    try:
        result, _ = fetched(batch(0, [0, 1, 2], 3), 0, whole=True)
        held = [weakref.ref(result), weakref.ref(result._partition_records)]
        if most:
            assert len(result.getall(most)) == min(most, 3)
        del result
        assert [one() for one in held] == [None, None]
    finally:
        gc.enable()


@pytest.mark.parametrize("fetcher", [None, SimpleNamespace(_records={})])
def test_a_consumer_that_is_made_otherwise_is_left_as_it_is(fetcher: Any) -> None:
    consumer: Any = SimpleNamespace(_fetcher=fetcher)
    take_batches(consumer)
    assert fetcher is None or type(fetcher._records) is dict
