"""Appends records through a producer: a few one by one, many as whole batches that are built here.

In: encoded entries. Out: acknowledged positions. `KafkaEventLog` calls it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from loopwright.domain.ids import logical_partition, physical_partition
from loopwright.eventlog.types import Encoded, Position

WORTH_BATCHES = 64
"""Entries from which batches of their own pay: one future a batch instead of one a record, a fifth of the cost
(measured). Fewer share a batch with what other callers append at the same time."""

_SLICE = 512
"""Records taken before other tasks get the loop: an import shares it with heartbeats and calls."""


async def send_each(
    producer: AIOKafkaProducer, topic: str, partitions: int, entries: Sequence[Encoded]
) -> list[Position]:
    """Append entries one by one, in order within each partition; return their positions once all are acknowledged.

    Raises:
        KafkaError: The broker refused one; others may have landed.
    """
    futures: list[asyncio.Future[Any]] = []
    try:
        for number, entry in enumerate(entries, 1):
            if number % _SLICE == 0:
                await asyncio.sleep(0)
            partition = physical_partition(logical_partition(entry.key), partitions)
            headers = _headers(entry)
            futures.append(
                await producer.send(topic, value=entry.value, key=entry.key, partition=partition, headers=headers)
            )
        await asyncio.wait(futures)
        return [Position(sent.partition, sent.offset) for sent in (future.result() for future in futures)]
    finally:
        for future in futures:
            future.add_done_callback(_seen)


async def send_batches(
    producer: AIOKafkaProducer, topic: str, partitions: int, entries: Sequence[Encoded]
) -> list[Position]:
    """Append entries in batches, in order within each partition, and return their positions once all are acknowledged.

    Args:
        producer: A started one.
        topic: Whole name of the topic.
        partitions: Physical partitions of the topic.
        entries: What to append.

    Raises:
        KafkaError: The broker refused a batch; others may have landed.
    """
    members: list[list[int]] = [[] for _ in range(partitions)]
    for index, entry in enumerate(entries):
        members[physical_partition(logical_partition(entry.key), partitions)].append(index)
    sending = _Sending(producer, topic, entries)
    try:
        for partition, indices in enumerate(members):
            await sending.put(partition, indices)
        return await sending.acknowledged()
    finally:
        sending.forget()


class _Sending:
    """The batches of one append that are under way."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, entries: Sequence[Encoded]) -> None:
        self._producer, self._topic, self._entries = producer, topic, entries
        self._sent: list[tuple[asyncio.Future[Any], int, list[int]]] = []

    async def put(self, partition: int, indices: list[int]) -> None:
        """Send the entries at these indices to a partition."""
        builder, begun = self._producer.create_batch(), 0
        for place, index in enumerate(indices):
            entry = self._entries[index]
            if not _put(builder, entry):
                await self._send(builder, partition, indices[begun:place])
                builder, begun = self._producer.create_batch(), place
                _put(builder, entry)  # the first record of a batch is taken whatever its size
            if place % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
        if indices:
            await self._send(builder, partition, indices[begun:])

    async def acknowledged(self) -> list[Position]:
        """Return the positions of all entries, in their order."""
        await asyncio.wait([future for future, _, _ in self._sent])
        positions: list[Position] = [Position(0, 0)] * len(self._entries)
        for future, partition, indices in self._sent:
            first = future.result().offset
            for place, index in enumerate(indices):
                positions[index] = Position(partition, first + place)
        return positions

    def forget(self) -> None:
        """Leave the batches to themselves."""
        for future, _, _ in self._sent:
            future.add_done_callback(_seen)

    async def _send(self, builder: Any, partition: int, indices: list[int]) -> None:
        builder.close()  # a closed batch does not linger
        future = await self._producer.send_batch(builder, self._topic, partition=partition)
        self._sent.append((future, partition, indices))


def _put(builder: Any, entry: Encoded) -> bool:
    """Put an entry into a batch; False when it is full."""
    return builder.append(timestamp=None, key=entry.key, value=entry.value, headers=_headers(entry)) is not None


def _headers(entry: Encoded) -> list[tuple[str, bytes]]:
    return [("traceparent", entry.traceparent.encode())] if entry.traceparent else []


def _seen(future: asyncio.Future[Any]) -> None:
    """Look at a future's outcome, so that a late failure of a given-up append is not reported as forgotten."""
    if not future.cancelled():
        future.exception()
