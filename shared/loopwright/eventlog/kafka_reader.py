"""The reader of the log on Kafka: `getmany` over assigned partitions, exact stops, no consumer group.

`getone` may wait for ever when the network is gone (aio-libs/aiokafka#712), so it is never called; a consumer that
stops delivering without a word (aio-libs/aiokafka#1037) is replaced by a new one at the same position.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, OffsetOutOfRangeError

from loopwright.eventlog.decoding import decode_all
from loopwright.eventlog.kafka_consumer import close_consumer
from loopwright.eventlog.offsets import missing
from loopwright.eventlog.reading import Progress, gone
from loopwright.eventlog.types import Offsets, OnUndecodable, Record
from loopwright.eventlog.watchdog import Place, Watchdog
from loopwright.faults import CorruptRecord, LogUnavailable
from loopwright.telemetry import count, get_logger, names

_log = get_logger(__name__)
STUCK, FAILED = "STUCK", "FAILED"
_ANSWER_WITHIN_S = 1.0
"""Wait for the log's answer when a partition is silent: in an outage every such question delays a read by this."""


class KafkaReader:
    """An `EventReader` that keeps a consumer running; `KafkaEventLog.reader` makes it.

    Outages of the log are left to the consumer, which connects again by itself. It is replaced when it fails for good,
    and when the log answers others while a partition neither moves nor is confirmed to be at its end.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[AIOKafkaConsumer]],
        ends: Callable[[], Awaitable[Offsets]],
        prefix: str,
        progress: Progress,
        max_records: int,
        on_undecodable: OnUndecodable | None,
        *,
        stuck_after_s: float,
        close_timeout_s: float,
        watchdog: Watchdog | None = None,
    ) -> None:
        """Describe the reader; entering it connects.

        Args:
            connect: Makes a started consumer without an assignment.
            ends: Asks the log for the ends of the partitions, over another connection.
            prefix: Prefix of every topic.
            progress: Where to begin and to stop.
            max_records: Most records one `read` returns.
            on_undecodable: As in `EventLog.reader`.
            stuck_after_s: Longest silence of a healthy partition.
            close_timeout_s: Time given to a consumer to close.
            watchdog: Instead of one with `stuck_after_s`, for tests.
        """
        self._connect, self._ends = connect, ends
        self._progress = progress
        self._max_records = max_records
        self._on_undecodable = on_undecodable
        self._close_timeout_s = close_timeout_s
        self._places = {
            TopicPartition(prefix + topic, partition): (topic, partition) for topic, partition in progress.next
        }
        self._watchdog = watchdog or Watchdog(self._places.values(), stuck_after_s)
        self._topics = "+".join(dict.fromkeys(topic for topic, _ in progress.next))
        self._consumer: AIOKafkaConsumer | None = None
        self._polled: dict[TopicPartition, int] = {}
        self._caught_up_at_ms: int | None = None

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            LogUnavailable: No broker answers.
        """
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._close()

    async def read(self, timeout_s: float = 0.2) -> list[Record]:
        """See `EventReader.read`.

        Raises:
            LogUnavailable: The consumer failed, or a new one cannot be had; the next call tries again.
        """
        progress = self._progress
        open_ones = [tp for tp, place in self._places.items() if not progress.finished(place)]
        if not open_ones:
            return []
        consumer = self._consumer or await self._open()
        self._watchdog.reading()
        try:
            fetched = await consumer.getmany(
                *open_ones, timeout_ms=round(timeout_s * 1000), max_records=self._max_records
            )
        except OffsetOutOfRangeError as error:
            tp, offset = next(iter(error.args[0].items()))
            raise gone(self._places[tp], offset) from error
        except CorruptRecordException as error:
            raise CorruptRecord("a batch of the log fails its checksum") from error
        except KafkaError as error:
            await self._give_up(FAILED, type(error).__name__)
            raise LogUnavailable() from error
        try:
            records = [record for tp, found in fetched.items() for record in self._decoded(tp, found)]
        except BaseException:
            self._consumer_seek(consumer)  # the batch was not handed over, so the position stays before it
            raise
        moved = [self._places[tp] for tp in open_ones if await self._move(consumer, tp)]
        drained = sum(map(len, fetched.values())) < self._max_records
        self._note_life(consumer, open_ones, moved, drained=drained)
        self._note_caught_up(consumer)
        if suspects := self._watchdog.suspects():
            await self._judge(suspects)
        self._watchdog.has_read()
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
        if self._consumer is not None:
            self._consumer_seek(self._consumer)

    def caught_up_at_ms(self) -> int | None:
        """See `EventReader.caught_up_at_ms`."""
        return self._caught_up_at_ms

    async def _open(self) -> AIOKafkaConsumer:
        consumer = await self._connect()
        consumer.assign(list(self._places))
        self._consumer_seek(consumer)
        self._consumer = consumer
        self._polled.clear()
        return consumer

    async def _close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await close_consumer(consumer, self._close_timeout_s)

    async def _give_up(self, reason: str, cause: str) -> None:
        """Close the consumer; the next one begins where this one's records were handed over."""
        count(names.CONSUMER_REOPENED, topic=self._topics, reason=reason)
        _log.warning("reader opened again", extra={"topics": self._topics, "reason": reason, "cause": cause})
        await self._close()

    async def _judge(self, suspects: Sequence[Place]) -> None:
        """Open again for silent partitions, unless the log answers nobody: then its outage explains the silence."""
        self._watchdog.asked()
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                ends = await self._ends()
        except (LogUnavailable, TimeoutError):
            return
        behind = missing(self._progress.next, ends)
        await self._give_up(STUCK, f"{len(suspects)} partitions are silent, {behind} records behind")
        self._watchdog.opened_again(suspects)
        await self._open()

    def _note_life(
        self, consumer: AIOKafkaConsumer, open_ones: Sequence[TopicPartition], moved: list[Place], *, drained: bool
    ) -> None:
        """Tell the watchdog who moved, who was confirmed to be at the end, and who was not given a turn."""
        alive = list(moved)
        for tp in open_ones:
            place = self._places[tp]
            polled, highwater = consumer.last_poll_timestamp(tp), consumer.highwater(tp)
            answered = polled is not None and polled != self._polled.get(tp)
            if answered:
                self._polled[tp] = polled
            if not drained or (answered and highwater is not None and self._progress.next[place] >= highwater):
                alive.append(place)
        self._watchdog.heard(alive)
        for place in moved:
            if self._progress.finished(place):
                self._watchdog.forget(place)

    def _consumer_seek(self, consumer: AIOKafkaConsumer) -> None:
        finished = []
        for tp, place in self._places.items():
            consumer.seek(tp, self._progress.next[place])
            if self._progress.finished(place):
                finished.append(tp)
                self._watchdog.forget(place)
        consumer.resume(*consumer.paused())
        consumer.pause(*finished)

    def _decoded(self, tp: TopicPartition, found: list[ConsumerRecord]) -> list[Record]:
        topic, partition = self._places[tp]
        limit = self._progress.limit((topic, partition))
        whole = limit is None or not found or found[-1].offset < limit
        ours = found if whole else [raw for raw in found if raw.offset < limit]
        records = decode_all(topic, partition, ours, self._on_undecodable)
        count(names.EVENTS_CONSUMED, len(found), topic=topic)
        return records

    async def _move(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> bool:
        """Take the position over; True when it moved."""
        # The consumer's position passes over what compaction removed, so a stop inside a gap is still reached.
        place = self._places[tp]
        before, offset = self._progress.next[place], await consumer.position(tp)
        limit = self._progress.limit(place)
        self._progress.next[place] = offset if limit is None else min(offset, limit)
        if self._progress.finished(place):
            consumer.pause(tp)
        return self._progress.next[place] != before

    def _note_caught_up(self, consumer: AIOKafkaConsumer) -> None:
        seen = []
        for tp, place in self._places.items():
            highwater, polled = consumer.highwater(tp), consumer.last_poll_timestamp(tp)
            if highwater is None or polled is None or self._progress.next[place] < highwater:
                return
            seen.append(polled)
        self._caught_up_at_ms = min(seen)
