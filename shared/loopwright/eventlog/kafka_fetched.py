"""Has a consumer of the library hand over what it fetched batch by batch; `start_consumer` calls it once.

The library takes a fetch apart record by record, through two layers of Python and an object around each record. Its C
parser alone, iterated over a whole record batch, takes a third of that time (measured) and gives the same offsets,
keys, values, headers and timestamps.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException


def take_batches(consumer: AIOKafkaConsumer) -> None:
    """Make what a started consumer fetches come as the C parser's records.

    A consumer of a library that is made otherwise is left as it is: only time is lost. It is for consumers without
    deserializers that read uncommitted records, as ours do.
    """
    fetcher: Any = getattr(consumer, "_fetcher", None)
    if type(getattr(fetcher, "_records", None)) is OrderedDict:
        fetcher._records = _Fetched(fetcher._records)


class _Fetched(OrderedDict[Any, Any]):
    """The library's table of what is fetched and not yet handed over, by partition."""

    def __setitem__(self, place: Any, result: Any) -> None:
        if type(result) is FetchResult:
            # Of its own way record by record, which nobody goes: it refers to what it is of, and the whole fetch would
            # stay in memory until the next collection of cycles, which a settled process puts off for long.
            result._partition_records._records_iterator = None
            result.getall = _Batches(weakref.ref(result), result._partition_records.next_fetch_offset).getall
        super().__setitem__(place, result)


class _Batches:
    """What one fetch brought of one partition; `getall` stands in for the method of `FetchResult`."""

    def __init__(self, result: Callable[[], Any], position: int) -> None:
        self._result = result  # weak, as the result holds this object
        self._parsed: list[Any] = []
        self._after = position

    def getall(self, max_records: int | None = None) -> list[Any]:
        """Return the next records and move the consumer's position past them.

        Raises:
            CorruptRecordException: A batch fails its checksum or cannot be parsed; the position stays, and what lies
                before the batch in the same fetch is fetched again.
        """
        result = self._result()
        fetched = result._partition_records
        if not result.has_more() or not result.check_assignment(result._topic_partition):
            return []
        try:
            while fetched._records.has_next() and (max_records is None or len(self._parsed) < max_records):
                self._parse(fetched, fetched._records.next_batch())
        except CorruptRecordException:
            result._partition_records = None
            raise
        if max_records is None or len(self._parsed) <= max_records:
            taken, self._parsed = self._parsed, []
            fetched.next_fetch_offset = self._after
        else:
            taken, self._parsed = self._parsed[:max_records], self._parsed[max_records:]
            fetched.next_fetch_offset = taken[-1].offset + 1
        result._update_position()
        if not self._parsed and not fetched._records.has_next():
            result._partition_records = None
        return taken

    def _parse(self, fetched: Any, batch: Any) -> None:
        if fetched._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"a batch of {fetched._tp} fails its checksum")
        if not batch.is_control_batch:
            records, first = list(batch), fetched.next_fetch_offset
            if batch.base_offset < first:  # a batch is fetched whole, though it begins before the position
                records = [record for record in records if record.offset >= first]
            self._parsed += records
        # Past the last record where compaction took it, so that the same batch is not fetched for ever.
        self._after = batch.next_offset
