"""One idempotent producer that is replaced when it is wedged; `KafkaEventLog` has one for single appends, one for bulk.

aiokafka's producer can stay in OutOfOrderSequence after a broker's blip until it is made anew (aio-libs/aiokafka#1017),
and its own stop waits for records that may never be sent; both are dealt with here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

from loopwright.faults import LogUnavailable
from loopwright.telemetry import get_logger

_log = get_logger(__name__)


class ProducerSlot:
    """Holds the producer in use and decides when it must go."""

    def __init__(
        self,
        make: Callable[[], AIOKafkaProducer],
        topics: Sequence[str],
        *,
        renew_after_s: float,
        close_timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._topics = topics
        self._renew_after_s = renew_after_s
        self._close_timeout_s = close_timeout_s
        self._clock = clock
        self._producer: AIOKafkaProducer | None = None
        self._opening: asyncio.Task[AIOKafkaProducer] | None = None
        self._disposals: set[asyncio.Task[None]] = set()
        self._failing_since: float | None = None
        self._opened_at = clock()

    async def get(self) -> AIOKafkaProducer:
        """Return a started producer, making one when there is none; the making outlives a caller that gives up.

        Raises:
            LogUnavailable: No broker answers.
        """
        if self._producer is not None:
            return self._producer
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open())
            # A failure is told to whoever waits; when nobody does any more, the next caller tries again.
            self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._opening)

    def acknowledged(self) -> None:
        """Note that the broker acknowledged a record."""
        self._failing_since = None

    def failed(self, error: KafkaError | None) -> None:
        """Note a failed append (None: it ran out of time), and give the producer up when it looks wedged."""
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        silent = now - max(self._failing_since, self._opened_at) >= self._renew_after_s
        fatal = error is not None and not error.retriable
        if self._producer is not None and (silent or fatal):
            _log.warning("producer replaced", extra={"cause": type(error).__name__ if error else "silence"})
            self._give_up(self._producer)

    async def close(self) -> None:
        """Send what is left within the close timeout, then close."""
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._producer is not None:
            self._give_up(self._producer)
        if self._disposals:
            await asyncio.wait(self._disposals)

    def _give_up(self, producer: AIOKafkaProducer) -> None:
        self._producer = None
        task = asyncio.create_task(_dispose(producer, self._close_timeout_s))
        self._disposals.add(task)
        task.add_done_callback(self._disposals.discard)

    async def _open(self) -> AIOKafkaProducer:
        if self._disposals:  # what an old one still sends must not come after what the new one will
            await asyncio.wait(self._disposals)
        producer = self._make()
        try:
            await producer.start()
            for topic in self._topics:  # known before the first append, which must not wait for metadata
                await producer.partitions_for(topic)
        except BaseException as error:
            await _dispose(producer, 0.0)
            if isinstance(error, KafkaError):
                raise LogUnavailable() from error
            raise
        self._producer, self._opened_at = producer, self._clock()
        return producer


async def _dispose(producer: AIOKafkaProducer, timeout_s: float) -> None:
    """Close a producer; after `timeout_s` its unsent records fail, so that nobody waits for them for ever."""
    try:
        async with asyncio.timeout(timeout_s):
            await producer.stop()
            return
    except (TimeoutError, KafkaError) as error:
        _log.info("producer closed by force", extra={"cause": type(error).__name__})
    # The library has no public way to drop a batch that cannot be sent; the contract suite covers these three calls.
    producer._message_accumulator.fail_all(ProducerClosed())
    await producer.client.close()
    sender = producer._sender
    if sender.sender_task is not None and not sender.sender_task.done():
        sender.sender_task.cancel()
        await asyncio.wait([sender.sender_task], timeout=1.0)
