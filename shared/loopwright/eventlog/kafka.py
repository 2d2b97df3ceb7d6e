"""The event log on Kafka: explicit partitions, idempotent acks=all appends with our deadlines, readers without groups.

In: topics of the table and events. Out: acknowledged positions, records. Every service's process opens one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.eventlog.appending import check_writer, encode, sending
from loopwright.eventlog.kafka_batches import WORTH_BATCHES, send_batches, send_each
from loopwright.eventlog.kafka_consumer import start_consumer
from loopwright.eventlog.kafka_lookup import LookupSlot
from loopwright.eventlog.kafka_producer import ProducerSlot
from loopwright.eventlog.kafka_reader import KafkaReader
from loopwright.eventlog.provisioning import check_topics
from loopwright.eventlog.reading import Progress
from loopwright.eventlog.settings import LogSettings
from loopwright.eventlog.topics import ALL_TOPICS, ANY_WRITER, DEFAULT_PREFIX, Topic
from loopwright.eventlog.types import Encoded, EventReader, Offsets, OnUndecodable, Position
from loopwright.faults import AppendTimeout, LogUnavailable, MessageTooLarge
from loopwright.rpc import Deadline

_RETRY_S = 0.25
_EARLIEST, _LATEST = "beginning_offsets", "end_offsets"


class KafkaEventLog:
    """An `EventLog` on a Kafka cluster; `open` makes it."""

    def __init__(
        self, bootstrap: str, producer: str, replica: str, prefix: str, partitions: int, settings: LogSettings
    ) -> None:
        self._bootstrap = bootstrap
        self._name = producer
        self._replica = replica
        self._prefix = prefix
        self._partitions = partitions
        self._settings = settings
        written = [t for t in ALL_TOPICS if not t.writers.isdisjoint({producer, ANY_WRITER})]
        names = [prefix + topic.name for topic in written]
        # Two producers: an awaited append must not linger, an import must.
        self._single = self._slot(names, linger_s=0.0, batch_bytes=64 * 1024)
        self._bulk = self._slot(names, linger_s=settings.bulk_linger_s, batch_bytes=settings.bulk_batch_bytes)
        self._lookup = LookupSlot(
            self._lookup_consumer,
            timeout_s=settings.lookup_timeout_s,
            renew_after_s=settings.stuck_after_s,
            close_timeout_s=settings.close_timeout_s,
        )

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        bootstrap: str,
        *,
        producer: str,
        replica: str = "",
        prefix: str = DEFAULT_PREFIX,
        settings: LogSettings | None = None,
    ) -> AsyncIterator[Self]:
        """Connect, check the topics, and close last: unsent records get `close_timeout_s`.

        Args:
            bootstrap: `host:port`, several joined by commas.
            producer: Name of the service; it may append to the topics it writes only.
            replica: Name of the replica; every event appended carries it.
            prefix: Prefix of every topic, the tenant.
            settings: Limits and waits.

        Raises:
            LogUnavailable: No broker answers within `open_timeout_s`.
            TopicsMismatch: A topic is missing or differs from the table.
        """
        chosen = settings or LogSettings()
        partitions = await _partitions(bootstrap, prefix, Deadline.after(chosen.open_timeout_s))
        log = cls(bootstrap, producer, replica, prefix, partitions, chosen)
        try:
            await log._single.get()  # a first append whose budget is 20 ms must not pay for connecting
            yield log
        finally:
            await log._close()

    @property
    def producer(self) -> str:
        """Name of the service that appends."""
        return self._name

    @property
    def replica(self) -> str:
        """Name that every appended event carries."""
        return self._replica

    @property
    def partitions(self) -> int:
        """Physical partitions of every topic."""
        return self._partitions

    @property
    def gather_s(self) -> float:
        """See `EventLog.gather_s`."""
        return self._settings.gather_s

    async def append(self, topic: Topic, key: bytes, event: Event, *, deadline: Deadline) -> Position:
        """See `EventLog.append`."""
        check_writer(topic, self._name)
        with sending(topic, 1) as traceparent:
            encoded = encode(topic, [(key, event)], traceparent, self._replica)
            return (await self._send(self._single, topic, encoded, deadline))[0]

    async def append_many(
        self, topic: Topic, entries: Sequence[tuple[bytes, Event]], *, deadline: Deadline
    ) -> list[Position]:
        """See `EventLog.append_many`."""
        check_writer(topic, self._name)
        with sending(topic, len(entries)) as traceparent:
            return await self._send(self._bulk, topic, encode(topic, entries, traceparent, self._replica), deadline)

    async def append_encoded(self, topic: Topic, entries: Sequence[Encoded], *, deadline: Deadline) -> list[Position]:
        """See `EventLog.append_encoded`."""
        check_writer(topic, self._name)
        with sending(topic, len(entries)):
            return await self._send(self._bulk, topic, entries, deadline)

    @asynccontextmanager
    async def reader(
        self,
        topics: Sequence[Topic],
        *,
        start: Offsets | None = None,
        stop: Offsets | None = None,
        partitions: Collection[int] | None = None,
        max_records: int = 2000,
        on_undecodable: OnUndecodable | None = None,
        aging: bool = False,
    ) -> AsyncIterator[EventReader]:
        """See `EventLog.reader`."""
        chosen = sorted(partitions) if partitions is not None else range(self._partitions)
        places = [(topic.name, partition) for topic in topics for partition in chosen]
        progress = Progress(places, await self._offsets(places, _EARLIEST), start or {}, stop)
        reader = KafkaReader(
            lambda: start_consumer(self._bootstrap, self._settings, aging=aging),
            lambda: self._offsets(places, _LATEST),
            self._prefix,
            progress,
            max_records,
            on_undecodable,
            stuck_after_s=self._settings.stuck_after_s,
            close_timeout_s=self._settings.close_timeout_s,
        )
        async with reader:
            yield reader

    async def ends(self, topics: Sequence[Topic]) -> Offsets:
        """See `EventLog.ends`."""
        return await self._offsets(self._places(topics), _LATEST)

    async def starts(self, topics: Sequence[Topic]) -> Offsets:
        """See `EventLog.starts`."""
        return await self._offsets(self._places(topics), _EARLIEST)

    async def offsets_at(self, topic: Topic, wall_ms: int, partitions: Collection[int] | None = None) -> Offsets:
        """See `EventLog.offsets_at`."""
        chosen = partitions if partitions is not None else range(self._partitions)
        places = [(topic.name, partition) for partition in chosen]
        found = await self._lookup.ask(
            lambda consumer: consumer.offsets_for_times({self._tp(place): wall_ms for place in places})
        )
        ends = await self._offsets(places, _LATEST)
        return {place: answer.offset if (answer := found[self._tp(place)]) else ends[place] for place in places}

    async def _send(
        self, slot: ProducerSlot, topic: Topic, entries: Sequence[Encoded], deadline: Deadline
    ) -> list[Position]:
        if not entries:
            return []
        name = self._prefix + topic.name
        send = send_batches if len(entries) >= WORTH_BATCHES else send_each
        try:
            async with asyncio.timeout(deadline.remaining()):
                positions = await send(await slot.get(), name, self._partitions, entries)
        except TimeoutError as error:
            slot.failed(None)
            raise AppendTimeout() from error
        except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
            raise MessageTooLarge(f"an event of {topic.name} is larger than a request may be") from error
        except KafkaError as error:
            slot.failed(error)
            raise LogUnavailable() from error
        slot.acknowledged()
        return positions

    def _slot(self, topics: Sequence[str], *, linger_s: float, batch_bytes: int) -> ProducerSlot:
        def make() -> AIOKafkaProducer:
            return AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                client_id=self._name,
                acks="all",
                enable_idempotence=True,
                compression_type="zstd",
                linger_ms=round(linger_s * 1000),
                max_batch_size=batch_bytes,
                request_timeout_ms=round(self._settings.request_timeout_s * 1000),
            )

        settings = self._settings
        return ProducerSlot(
            make, topics, renew_after_s=settings.renew_after_s, close_timeout_s=settings.close_timeout_s
        )

    async def _offsets(self, places: Sequence[tuple[str, int]], which: str) -> Offsets:
        asked = [self._tp(place) for place in places]
        found = await self._lookup.ask(lambda consumer: getattr(consumer, which)(asked))
        return {place: found[self._tp(place)] for place in places}

    def _lookup_consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            request_timeout_ms=round(self._settings.request_timeout_s * 1000),
        )

    def _places(self, topics: Sequence[Topic]) -> list[tuple[str, int]]:
        return [(topic.name, partition) for topic in topics for partition in range(self._partitions)]

    def _tp(self, place: tuple[str, int]) -> TopicPartition:
        return TopicPartition(self._prefix + place[0], place[1])

    async def _close(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._single.close())
            group.create_task(self._bulk.close())
            group.create_task(self._lookup.close())


async def _partitions(bootstrap: str, prefix: str, deadline: Deadline) -> int:
    while True:
        try:
            return await check_topics(bootstrap, prefix=prefix)
        except LogUnavailable:
            if deadline.remaining() < _RETRY_S:
                raise
        await asyncio.sleep(_RETRY_S)
