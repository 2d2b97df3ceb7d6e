"""The reader of the log on Kafka: `getmany` over assigned partitions, exact stops, no consumer group.

`getone` may wait for ever when the network is gone (aio-libs/aiokafka#712), so it is never called.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, OffsetOutOfRangeError

from loopwright.eventlog.decoding import decode, hand_over
from loopwright.eventlog.reading import Progress, gone
from loopwright.eventlog.settings import LogSettings
from loopwright.eventlog.types import Offsets, OnUndecodable, Record, Undecodable
from loopwright.faults import CorruptRecord, LogUnavailable, translate
from loopwright.telemetry import count, names


@asynccontextmanager
async def open_consumer(bootstrap: str, settings: LogSettings) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a started consumer without a group.

    Raises:
        LogUnavailable: No broker answers.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=round(settings.fetch_wait_s * 1000),
        max_partition_fetch_bytes=settings.partition_fetch_bytes,
        request_timeout_ms=round(settings.request_timeout_s * 1000),
    )
    try:
        with translate({KafkaError: LogUnavailable}):
            await consumer.start()
        yield consumer
    finally:
        await close_consumer(consumer)


async def close_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer whatever state its tasks are in.

    Its own stop is cut short when one of its tasks is cancelled before it began, and then leaves connections open.
    """
    if await _closed(consumer.stop()):
        return
    if consumer._fetcher is not None:
        await _closed(consumer._fetcher.close())
    await _closed(consumer._client.close())


async def _closed(closing: Coroutine[Any, Any, None]) -> bool:
    """Say whether a close came to its end rather than being cancelled from inside."""
    task = asyncio.ensure_future(closing)
    await asyncio.wait([task])
    if task.cancelled():
        return False
    task.result()
    return True


class KafkaReader:
    """An `EventReader` over one consumer; `KafkaEventLog.reader` makes it."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        prefix: str,
        progress: Progress,
        max_records: int,
        on_undecodable: OnUndecodable | None,
    ) -> None:
        self._consumer = consumer
        self._progress = progress
        self._max_records = max_records
        self._on_undecodable = on_undecodable
        self._places = {
            TopicPartition(prefix + topic, partition): (topic, partition) for topic, partition in progress.next
        }
        consumer.assign(list(self._places))
        self._consumer_seek()
        self._caught_up_at_ms: int | None = None

    async def read(self, timeout_s: float = 0.2) -> list[Record]:
        """See `EventReader.read`."""
        progress = self._progress
        open_ones = [tp for tp, place in self._places.items() if not progress.finished(place)]
        if not open_ones:
            return []
        try:
            fetched = await self._consumer.getmany(
                *open_ones, timeout_ms=round(timeout_s * 1000), max_records=self._max_records
            )
        except OffsetOutOfRangeError as error:
            tp, offset = next(iter(error.args[0].items()))
            raise gone(self._places[tp], offset) from error
        except CorruptRecordException as error:
            raise CorruptRecord("a batch of the log fails its checksum") from error
        except KafkaError as error:
            raise LogUnavailable() from error
        try:
            records = [record for tp, found in fetched.items() for record in self._decoded(tp, found)]
        except BaseException:
            self._consumer_seek()  # the batch was not handed over, so the position stays before it
            raise
        for tp in open_ones:
            await self._move(tp)
        self._note_caught_up()
        return records

    def position(self) -> Offsets:
        """See `EventReader.position`."""
        return dict(self._progress.next)

    def done(self) -> bool:
        """See `EventReader.done`."""
        return self._progress.done()

    def seek(self, offsets: Offsets) -> None:
        """See `EventReader.seek`."""
        self._progress.seek(offsets)
        self._consumer_seek()

    def caught_up_at_ms(self) -> int | None:
        """See `EventReader.caught_up_at_ms`."""
        return self._caught_up_at_ms

    def _consumer_seek(self) -> None:
        finished = []
        for tp, place in self._places.items():
            self._consumer.seek(tp, self._progress.next[place])
            if self._progress.finished(place):
                finished.append(tp)
        self._consumer.resume(*self._consumer.paused())
        self._consumer.pause(*finished)

    def _decoded(self, tp: TopicPartition, found: list[ConsumerRecord]) -> list[Record]:
        topic, partition = self._places[tp]
        limit = self._progress.limit((topic, partition))
        records = []
        for raw in found:
            if limit is not None and raw.offset >= limit:
                break
            read = decode(
                topic,
                partition,
                raw.offset,
                raw.key or b"",
                raw.value or b"",
                _traceparent(raw),
                raw.timestamp,
            )
            if isinstance(read, Undecodable):
                hand_over(read, self._on_undecodable)
            elif read is not None:
                records.append(read)
        count(names.EVENTS_CONSUMED, len(found), topic=topic)
        return records

    async def _move(self, tp: TopicPartition) -> None:
        # The consumer's position passes over what compaction removed, so a stop inside a gap is still reached.
        place = self._places[tp]
        offset = await self._consumer.position(tp)
        limit = self._progress.limit(place)
        self._progress.next[place] = offset if limit is None else min(offset, limit)
        if self._progress.finished(place):
            self._consumer.pause(tp)

    def _note_caught_up(self) -> None:
        seen = []
        for tp, place in self._places.items():
            highwater, polled = self._consumer.highwater(tp), self._consumer.last_poll_timestamp(tp)
            if highwater is None or polled is None or self._progress.next[place] < highwater:
                return
            seen.append(polled)
        self._caught_up_at_ms = min(seen)


def _traceparent(raw: ConsumerRecord) -> str:
    for key, value in raw.headers:
        if key == "traceparent":
            return str(value, "ascii", "replace")
    return ""
