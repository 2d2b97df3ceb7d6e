"""`Tail` keeps a fold current: it catches up with the log, then follows it in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from loopwright.eventlog.offsets import covers
from loopwright.eventlog.strays import no_strays
from loopwright.eventlog.topics import Topic
from loopwright.eventlog.types import EventLog, EventReader, Offsets, OnUndecodable, Record
from loopwright.faults import DeadlineExceeded, Fault, LogUnavailable
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger, processing

_log = get_logger(__name__)
_SMALL_BATCH = 200
_SLICE = 256
"""Records applied before other tasks get the loop: about 5 ms of a fold that takes 20 microseconds a record."""
_RETRY_S = 0.25
_READ_S, _AGING_READ_S = 0.2, 1.0


class Tail:
    """Feeds every record of some topics to `apply`, in offset order within each partition.

    A fold that raises ends the tail: `failure` holds the exception and `wait` raises it. A log that is away does not;
    the tail then merely gets older, which `caught_up_at_ms` tells.
    """

    def __init__(
        self,
        log: EventLog,
        topics: Sequence[Topic],
        apply: Callable[[Record], None],
        *,
        start: Offsets | None = None,
        partitions: Collection[int] | None = None,
        after_batch: Callable[[], None] | None = None,
        on_undecodable: OnUndecodable | None = None,
        gather: bool = False,
        aging: bool = False,
        name: str = "",
    ) -> None:
        """Describe the tail; `start` begins.

        Args:
            log: Where to read.
            topics: What to read.
            apply: The fold; runs on the event loop, so it is short.
            start: Where to begin, by default at the earliest record.
            partitions: Physical partitions, by default all.
            after_batch: Called after each batch, for work that is cheaper once per batch.
            on_undecodable: Gets what cannot be decoded: a `SkipAndCount` for fact topics. Without one, as for state
                topics, such a record ends the tail.
            gather: Wait for the log's `gather_s` after a batch, so that the next is worth its cost: for folds that
                nobody reads their own writes from.
            aging: Nobody asks for its age, so the log is asked seldom while nothing comes; what comes, comes as soon.
            name: Names the tail in logs, by default by its topics.
        """
        self.name = name or "+".join(topic.name for topic in topics)
        self.failure: Exception | None = None
        self._log, self._topics, self._apply = log, list(topics), apply
        self._start, self._partitions = start, partitions
        self._after_batch, self._on_undecodable = after_batch, on_undecodable
        self._aging, self._read_s = aging, _AGING_READ_S if aging else _READ_S
        self._gather_s = log.gather_s if gather else 0.0
        self._stack = AsyncExitStack()
        self._applied: Offsets = dict(start or {})
        self._caught_up_at_ms: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()

    @property
    def caught_up_at_ms(self) -> int | None:
        """Wall time at which the log last confirmed that nothing was left to apply; None before the first time."""
        return self._caught_up_at_ms

    def position(self) -> Offsets:
        """Return the next offset to apply of every partition."""
        return dict(self._applied)

    def lag_s(self, wall_ms: int) -> float:
        """Return how old the folded state may be in seconds; infinite before the first catch-up."""
        if self._caught_up_at_ms is None:
            return float("inf")
        return max(0, wall_ms - self._caught_up_at_ms) / 1000

    async def start(self, deadline: Deadline | None = None) -> None:
        """Catch up to the ends at the call, then go on in the background.

        Raises:
            DeadlineExceeded: The deadline passed first; the tail is stopped.
            Exception: What `apply` or the reader raised.
        """
        try:
            ends = await self._log.ends(self._topics)
            if self._partitions is not None:
                ends = {place: end for place, end in ends.items() if place[1] in self._partitions}
            reader = await self._stack.enter_async_context(
                self._log.reader(
                    self._topics,
                    start=self._start,
                    partitions=self._partitions,
                    on_undecodable=self._on_undecodable,
                    aging=self._aging,
                )
            )
            self._applied = reader.position()
            while not covers(self._applied, ends):
                if deadline is not None and deadline.expired:
                    raise DeadlineExceeded(f"{self.name} did not catch up in time")
                await self._step(reader)
        except BaseException as error:
            self.failure = error if isinstance(error, Exception) else None
            await self._stack.aclose()
            raise
        self._task = asyncio.create_task(self._follow(reader), name=f"tail {self.name}")

    async def wait(self) -> None:
        """Return once the tail was stopped.

        Raises:
            Exception: What ended it otherwise.
        """
        if self._task is not None:
            await asyncio.wait([self._task])
        if self.failure is not None:
            raise self.failure

    async def reached(self, ends: Offsets, deadline: Deadline) -> None:
        """Return once everything before `ends` is applied.

        Raises:
            DeadlineExceeded: The deadline passed first.
            Exception: What ended the tail.
        """
        try:
            async with asyncio.timeout(deadline.remaining()):
                while not covers(self._applied, ends):
                    if self._task is not None and self._task.done():
                        await self.wait()
                        raise LogUnavailable(f"{self.name} was stopped")
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError as error:
            raise DeadlineExceeded(f"{self.name} did not reach the given offsets in time") from error

    async def stop(self) -> None:
        """Stop reading and close the reader; does nothing the second time."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        """Start without a deadline."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    async def _follow(self, reader: EventReader) -> None:
        try:
            while True:
                try:
                    with no_strays():
                        if 0 < await self._step(reader) < _SMALL_BATCH:
                            await asyncio.sleep(self._gather_s)
                except LogUnavailable:
                    await asyncio.sleep(_RETRY_S)  # the reader stays where it was; its age tells the outage
        except Exception as error:
            reason = error.reason if isinstance(error, Fault) else type(error).__name__
            _log.error("tail ended", extra={"tail": self.name, "reason": reason}, exc_info=error)
            self.failure = error
        finally:
            self._moved.set()

    async def _step(self, reader: EventReader) -> int:
        """Apply the next batch and return its length."""
        records = await reader.read(self._read_s)
        with processing(records):
            for index, record in enumerate(records, 1):
                self._apply(record)
                if index % _SLICE == 0:
                    await asyncio.sleep(0)
            if records and self._after_batch is not None:
                self._after_batch()
        self._applied = reader.position()
        self._caught_up_at_ms = reader.caught_up_at_ms()
        self._moved.set()
        return len(records)
