"""Questions about offsets: one consumer without assignment that all callers share, replaced when it only ever fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from loopwright.eventlog.kafka_consumer import close_consumer
from loopwright.faults import LogUnavailable
from loopwright.telemetry import get_logger

T = TypeVar("T")
_log = get_logger(__name__)


class LookupSlot:
    """Holds the consumer, opens it at the first question, and gives up one that answers nobody any more."""

    def __init__(
        self,
        make: Callable[[], AIOKafkaConsumer],
        *,
        timeout_s: float,
        renew_after_s: float,
        close_timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._timeout_s, self._renew_after_s, self._close_timeout_s = timeout_s, renew_after_s, close_timeout_s
        self._clock = clock
        self._consumer: AIOKafkaConsumer | None = None
        self._opening = asyncio.Lock()
        self._failing_since: float | None = None
        self._disposals: set[asyncio.Task[None]] = set()

    async def ask(self, question: Callable[[AIOKafkaConsumer], Awaitable[T]]) -> T:
        """Return the answer to a question put to the consumer.

        Raises:
            LogUnavailable: No answer within the time for one.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await question(await self._get())
        except (KafkaError, TimeoutError) as error:
            self._failed()
            raise LogUnavailable() from error
        except asyncio.CancelledError:  # who waits less than we would goes without an answer too
            self._failed()
            raise
        self._failing_since = None
        return answer

    async def close(self) -> None:
        """Close the consumer, if there is one."""
        self._give_up()
        if self._disposals:
            await asyncio.wait(self._disposals)

    async def _get(self) -> AIOKafkaConsumer:
        async with self._opening:
            if self._consumer is None:
                consumer = self._make()
                try:
                    await consumer.start()
                except BaseException:
                    await close_consumer(consumer, self._close_timeout_s)
                    raise
                self._consumer = consumer
            return self._consumer

    def _failed(self) -> None:
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        elif now - self._failing_since >= self._renew_after_s:
            self._failing_since = None
            _log.warning("lookup consumer replaced", extra={"cause": "silence"})
            self._give_up()

    def _give_up(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            task = asyncio.create_task(close_consumer(consumer, self._close_timeout_s))
            self._disposals.add(task)
            task.add_done_callback(self._disposals.discard)
