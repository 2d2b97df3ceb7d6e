"""The outbox: where records wait, durably, while the log is away. One process, one folder, one file.

`DurableWriter` appends and resends. An append returns once its record is on disk; records are committed in groups by
time (one fdatasync costs 2.4 ms, 56 microseconds a record in groups of 50).
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from loopwright.domain.ids import logical_partition, physical_partition
from loopwright.eventlog.outbox_file import DiskFile, OutboxFile
from loopwright.eventlog.outbox_records import Waiting, frame, scan, unframe
from loopwright.eventlog.types import Encoded
from loopwright.eventlog.wall import WallClock, wall_now_ms
from loopwright.faults import AppendTimeout, CorruptRecord, OutboxFull
from loopwright.rpc import Deadline
from loopwright.telemetry import gauge, get_logger, names

_log = get_logger(__name__)
Lane = tuple[str, int]
"""(topic name, physical partition): what keeps its order."""


class OutboxSettings(BaseModel):
    """Bounds and waits of the outbox."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: int = Field(
        default=256 * 1024 * 1024, gt=0, description="Largest file; a record beyond it is refused with OUTBOX_FULL."
    )
    max_age_s: float = Field(
        default=6 * 3600.0,
        gt=0,
        lt=24 * 3600.0,
        description="Age of the oldest waiting record beyond which new ones are refused; under the dedup window.",
    )
    commit_interval_s: float = Field(
        default=0.003, ge=0, description="Wait for more records before they are made durable together."
    )


class _Stored(NamedTuple):
    offset: int
    size: int
    wall_ms: int


class _Buffered(NamedTuple):
    lane: Lane
    record: bytes
    wall_ms: int
    done: asyncio.Future[None]


class Outbox:
    """Waiting records by lane, in the order they came."""

    def __init__(
        self, file: OutboxFile, partitions: int, settings: OutboxSettings, wall_ms: WallClock = wall_now_ms
    ) -> None:
        """Recover what a former process left; `open` is the usual way.

        A torn tail, what a crash left of the last group, is cut; its bytes are set aside.
        """
        self._file, self._partitions, self._settings, self._wall_ms = file, partitions, settings, wall_ms
        self._lanes: defaultdict[Lane, deque[_Stored]] = defaultdict(deque)
        self._counts: Counter[Lane] = Counter()
        self._buffer: list[_Buffered] = []
        self._buffered_bytes = 0
        self._size = 0
        self._arrived = asyncio.Event()
        self._wake = asyncio.Event()
        self._file_lock = asyncio.Lock()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")
        self._recover()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        *,
        partitions: int,
        settings: OutboxSettings | None = None,
        wall_ms: WallClock = wall_now_ms,
    ) -> AsyncIterator[Self]:
        """Open the outbox of a folder; what is left in it on leaving waits for the next process.

        Args:
            folder: A folder of this replica's own, on a disk that survives it.
            partitions: Physical partitions of every topic.
            settings: Bounds and waits.
            wall_ms: The wall clock, for ages.

        Raises:
            Conflict: Another process has the folder.
        """
        file = await asyncio.to_thread(DiskFile, folder)
        async with cls(file, partitions, settings or OutboxSettings(), wall_ms).running() as outbox:
            yield outbox

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Commit in the background while the block runs; then commit the rest and close the file."""
        task = asyncio.create_task(self._commit_loop(), name="outbox commit")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self._commit()
            self._executor.shutdown()
            self._file.close()

    @property
    def depth(self) -> int:
        """Number of records that wait."""
        return self._counts.total()

    @property
    def size_bytes(self) -> int:
        """Size of the file with what is about to be written."""
        return self._size + self._buffered_bytes

    def age_s(self) -> float:
        """Return how long the oldest durable record has waited, 0 when none waits."""
        oldest = min((lane[0].wall_ms for lane in self._lanes.values() if lane), default=None)
        return 0.0 if oldest is None else max(0.0, (self._wall_ms() - oldest) / 1000)

    def lane(self, topic: str, key: bytes) -> Lane:
        """Return the lane of a record."""
        return topic, physical_partition(logical_partition(key), self._partitions)

    def waits(self, lane: Lane) -> bool:
        """Say whether a record of the lane waits; later ones of it must then wait behind it."""
        return self._counts[lane] > 0

    def waiting_lanes(self) -> list[Lane]:
        """Return the lanes that have durable records."""
        return [lane for lane, stored in self._lanes.items() if stored]

    async def append(self, topic: str, entry: Encoded, *, deadline: Deadline) -> None:
        """Store an entry and return once it is durable.

        Raises:
            OutboxFull: The bound of bytes or age is reached, or the disk refuses.
            AppendTimeout: Not durable by the deadline; it may still be stored and sent.
        """
        now = self._wall_ms()
        record = frame(Waiting(now, topic, entry))
        if self.size_bytes + len(record) > self._settings.max_bytes:
            raise OutboxFull("the outbox has reached its size")
        if self.age_s() > self._settings.max_age_s:
            raise OutboxFull("the oldest record of the outbox has waited too long")
        lane = self.lane(topic, entry.key)
        done = asyncio.get_running_loop().create_future()
        self._counts[lane] += 1
        self._buffer.append(_Buffered(lane, record, now, done))
        self._buffered_bytes += len(record)
        self._wake.set()
        try:
            async with asyncio.timeout(deadline.remaining()):
                await asyncio.shield(done)
        except TimeoutError as error:
            done.add_done_callback(lambda future: future.exception())
            raise AppendTimeout() from error
        finally:
            self._measure()

    async def arrived(self, timeout_s: float) -> None:
        """Wait until durable records wait, at most `timeout_s`."""
        if not self.waiting_lanes():
            self._arrived.clear()
            waiter = asyncio.ensure_future(self._arrived.wait())
            try:
                await asyncio.wait([waiter], timeout=timeout_s)
            finally:
                waiter.cancel()

    async def oldest(self, lane: Lane, *, records: int, size: int) -> list[Encoded]:
        """Return the lane's first entries, at most `records` and about `size` bytes, at least one.

        Raises:
            CorruptRecord: The disk gives back other bytes than were written.
        """
        chosen: list[_Stored] = []
        total = 0
        for stored in self._lanes[lane]:
            total += stored.size
            if chosen and (len(chosen) == records or total > size):
                break
            chosen.append(stored)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._read, chosen)

    async def acknowledge(self, lane: Lane, count: int) -> None:
        """Forget the lane's first `count` entries: they are on the log. An empty outbox empties its file."""
        for _ in range(count):
            self._lanes[lane].popleft()
        self._counts[lane] -= count
        if not self.waiting_lanes():
            async with self._file_lock:
                if not self.waiting_lanes() and self._size:
                    try:
                        await asyncio.get_running_loop().run_in_executor(self._executor, self._file.truncate, 0)
                        self._size = 0
                    except OSError as error:  # what is on the log is then sent twice after a crash, and counts once
                        _log.warning("outbox not emptied", extra={"cause": type(error).__name__})
        self._measure()

    def _recover(self) -> None:
        for offset, size, waiting in scan(self._file):
            lane = self.lane(waiting.topic, waiting.entry.key)
            self._lanes[lane].append(_Stored(offset, size, waiting.wall_ms))
            self._counts[lane] += 1
            self._size = offset + size
        torn = self._file.size() - self._size
        if torn:
            _log.warning("torn tail of the outbox cut", extra={"torn_bytes": torn})
            self._file.set_aside(self._file.read(self._size, torn))
            self._file.truncate(self._size)
        self._measure()

    async def _commit_loop(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(self._settings.commit_interval_s)
            await asyncio.shield(self._commit())

    async def _commit(self) -> None:
        async with self._file_lock:
            group, self._buffer = self._buffer, []
            if not group:
                return
            data = b"".join(buffered.record for buffered in group)
            try:
                await asyncio.get_running_loop().run_in_executor(self._executor, self._write, self._size, data)
            except OSError as error:
                _log.error("outbox not written", extra={"cause": type(error).__name__})
                for buffered in group:
                    self._counts[buffered.lane] -= 1
                    _fail(buffered.done, OutboxFull("the disk of the outbox refuses"))
                return
            finally:
                self._buffered_bytes -= len(data)
            for buffered in group:
                self._lanes[buffered.lane].append(_Stored(self._size, len(buffered.record), buffered.wall_ms))
                self._size += len(buffered.record)
                if not buffered.done.done():
                    buffered.done.set_result(None)
            self._arrived.set()

    def _write(self, offset: int, data: bytes) -> None:
        try:
            self._file.write(offset, data)
            self._file.sync()
        except OSError:
            self._file.truncate(offset)  # nothing of a group that failed may come back as acknowledged
            raise

    def _read(self, chosen: list[_Stored]) -> list[Encoded]:
        entries = []
        for stored in chosen:
            waiting = unframe(self._file.read(stored.offset, stored.size))
            if waiting is None:
                raise CorruptRecord("a record of the outbox is not what was written")
            entries.append(waiting.entry)
        return entries

    def _measure(self) -> None:
        gauge(names.OUTBOX_DEPTH, self.depth)
        gauge(names.OUTBOX_AGE, self.age_s())


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
