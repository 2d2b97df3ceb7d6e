"""The outbox: where records wait, durably, while the log is away. One process, one folder.

`DurableWriter` appends and resends. An append returns once its record is on disk; records are committed in groups by
time (one fdatasync costs 2.4 ms, 56 microseconds a record in groups of 50).
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from loopwright.domain.ids import logical_partition, physical_partition
from loopwright.eventlog.outbox_bounds import OutboxSettings, Worth, refusal
from loopwright.eventlog.outbox_file import DiskFolder, OutboxFiles
from loopwright.eventlog.outbox_records import Waiting, frame, scan, unframe
from loopwright.eventlog.types import Encoded
from loopwright.eventlog.wall import WallClock, wall_now_ms
from loopwright.faults import AppendTimeout, CorruptRecord, OutboxFull
from loopwright.rpc import Deadline
from loopwright.telemetry import count, gauge, get_logger, names

_log = get_logger(__name__)
Lane = tuple[str, int]
"""(topic name, physical partition): what keeps its order."""
_REFUSALS = {
    "age": "the oldest record of the outbox has waited too long",
    "size": "the outbox has reached its size for records of this worth",
    "disk": "the disk of the outbox is full",
}


class _Stored(NamedTuple):
    number: int
    offset: int
    size: int
    wall_ms: int


class _Buffered(NamedTuple):
    lane: Lane
    record: bytes
    wall_ms: int
    done: asyncio.Future[None]


@dataclass(slots=True)
class _Segment:
    """One file: its durable bytes, and how many of its records wait."""

    size: int = 0
    waiting: int = 0


class Outbox:
    """Waiting records by lane, in the order they came.

    A process appends to files of its own: what it found is read and removed, never appended to, because bytes that a
    killed process left may be seen and yet not be on disk. For the same reason a file that failed is ended.
    """

    def __init__(
        self, files: OutboxFiles, partitions: int, settings: OutboxSettings, wall_ms: WallClock = wall_now_ms
    ) -> None:
        """Recover what a former process left; `open` is the usual way.

        A torn tail, what a crash left of the last group, is cut; its bytes are set aside.
        """
        self._files, self._partitions, self._settings, self._wall_ms = files, partitions, settings, wall_ms
        self._lanes: defaultdict[Lane, deque[_Stored]] = defaultdict(deque)
        self._counts: Counter[Lane] = Counter()
        self._buffer: list[_Buffered] = []
        self._buffered_bytes = 0
        self._segments: dict[int, _Segment] = {}
        self._current: int | None = None
        self._next = 0
        self._size = 0
        self._refusing: set[tuple[Worth, str]] = set()
        self._arrived = asyncio.Event()
        self._wake = asyncio.Event()
        self._file_lock = asyncio.Lock()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")
        for number in files.numbers():
            self._recover(number)
        self._measure()

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
        files = await asyncio.to_thread(DiskFolder, folder)
        async with cls(files, partitions, settings or OutboxSettings(), wall_ms).running() as outbox:
            yield outbox

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Commit in the background while the block runs; then commit the rest and close the files."""
        task = asyncio.create_task(self._commit_loop(), name="outbox commit")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self._commit()
            self._executor.shutdown()
            self._files.close()

    @property
    def depth(self) -> int:
        """Number of records that wait."""
        return self._counts.total()

    @property
    def size_bytes(self) -> int:
        """Size of the files with what is about to be written."""
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

    async def append(self, topic: str, entry: Encoded, *, deadline: Deadline, worth: Worth = Worth.EVIDENCE) -> None:
        """Store an entry and return once it is durable.

        Raises:
            OutboxFull: The bound of bytes or age is reached for records of this worth, or the disk refuses.
            AppendTimeout: Not durable by the deadline; it may still be stored and sent.
        """
        now = self._wall_ms()
        record = frame(Waiting(now, topic, entry))
        self._admit(len(record), worth)
        lane = self.lane(topic, entry.key)
        buffered = _Buffered(lane, record, now, asyncio.get_running_loop().create_future())
        self._counts[lane] += 1
        self._buffer.append(buffered)
        self._buffered_bytes += len(record)
        self._wake.set()
        try:
            async with asyncio.timeout(deadline.remaining()):
                await asyncio.shield(buffered.done)
        except TimeoutError as error:
            raise AppendTimeout() from error
        except OutboxFull:
            count(names.OUTBOX_REFUSED, kind=worth.name.lower(), reason="disk")
            raise
        finally:
            self._give_up(buffered)
            self._measure()

    async def arrived(self, timeout_s: float) -> None:
        """Wait until durable records wait, at most `timeout_s`."""
        self._measure()
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
        """Forget the lane's first `count` entries: they are on the log. A file none of whose records waits goes."""
        touched = set()
        for _ in range(count):
            stored = self._lanes[lane].popleft()
            self._segments[stored.number].waiting -= 1
            touched.add(stored.number)
        self._counts[lane] -= count
        async with self._file_lock:
            for number in touched:
                if number in self._segments and not self._segments[number].waiting:
                    await self._drop(number)
        self._measure()

    def _admit(self, size: int, worth: Worth) -> None:
        after = self.size_bytes + size
        try:
            free = self._files.free_bytes() - self._buffered_bytes - size
            cause = refusal(self._settings, worth, after_bytes=after, free_bytes=free, age_s=self.age_s())
        except OSError:
            cause = "disk"
        if not cause:
            self._refusing = {refused for refused in self._refusing if refused[0] is not worth}
            return
        count(names.OUTBOX_REFUSED, kind=worth.name.lower(), reason=cause)
        if (worth, cause) not in self._refusing:
            self._refusing.add((worth, cause))
            _log.error("outbox refuses records", extra={"worth": worth.name, "cause": cause, "bytes": self.size_bytes})
        raise OutboxFull(_REFUSALS[cause])

    def _give_up(self, buffered: _Buffered) -> None:
        """Take back what is still in memory when its caller stops waiting: nobody was promised anything."""
        if buffered.done.done():
            return
        if any(one is buffered for one in self._buffer):
            self._buffer = [one for one in self._buffer if one is not buffered]
            self._buffered_bytes -= len(buffered.record)
            self._counts[buffered.lane] -= 1
        else:
            buffered.done.add_done_callback(lambda future: future.exception())

    def _recover(self, number: int) -> None:
        segment = _Segment()
        for offset, size, waiting in scan(self._files, number):
            lane = self.lane(waiting.topic, waiting.entry.key)
            self._lanes[lane].append(_Stored(number, offset, size, waiting.wall_ms))
            self._counts[lane] += 1
            segment.waiting += 1
            segment.size = offset + size
        torn = self._files.size(number) - segment.size
        try:
            if torn:
                _log.warning("torn tail of the outbox cut", extra={"torn_bytes": torn})
                self._files.set_aside(self._files.read(number, segment.size, torn))
                self._files.truncate(number, segment.size)
            if not segment.waiting:
                self._files.remove(number)
        except OSError as error:  # the tail is cut again at the next start; nothing is appended behind it
            _log.warning("torn tail of the outbox left", extra={"cause": type(error).__name__})
        if segment.waiting:
            self._segments[number] = segment
            self._size += segment.size
        self._next = number + 1

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
            number, segment = self._segment()
            run = asyncio.get_running_loop().run_in_executor
            try:
                await run(self._executor, self._write, number, segment.size, data)
            except Exception as error:  # whatever it was: the group is not durable, and the next one has its own chance
                _log.error("outbox not written", extra={"cause": type(error).__name__})
                await run(self._executor, self._end, number, segment.size)
                self._current = None
                for buffered in group:
                    self._counts[buffered.lane] -= 1
                    if not buffered.done.done():
                        buffered.done.set_exception(OutboxFull("the disk of the outbox refuses"))
                return
            finally:
                self._buffered_bytes -= len(data)
            self._current, self._segments[number] = number, segment
            for buffered in group:
                size = len(buffered.record)
                self._lanes[buffered.lane].append(_Stored(number, segment.size, size, buffered.wall_ms))
                segment.size += size
                segment.waiting += 1
                self._size += size
                if not buffered.done.done():
                    buffered.done.set_result(None)
            self._arrived.set()

    def _segment(self) -> tuple[int, _Segment]:
        """Return the file to append to, a new one when there is none or it is long enough."""
        if self._current is not None and self._segments[self._current].size < self._settings.segment_bytes:
            return self._current, self._segments[self._current]
        self._next += 1
        return self._next - 1, _Segment()

    def _write(self, number: int, offset: int, data: bytes) -> None:
        if not offset:
            self._files.create(number)
        self._files.write(number, offset, data)
        self._files.sync(number)

    def _end(self, number: int, size: int) -> None:
        """Cut what a failed group left: it was refused, so it should not be found; it does no harm if it is."""
        try:
            if size:
                self._files.truncate(number, size)
            elif number in self._files.numbers():
                self._files.remove(number)
        except OSError as error:
            _log.warning("a refused group of the outbox is left", extra={"cause": type(error).__name__})

    async def _drop(self, number: int) -> None:
        self._size -= self._segments.pop(number).size
        if self._current == number:
            self._current = None
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._files.remove, number)
        except OSError as error:  # what is on the log is then sent again by the next process, and counts once
            _log.warning("outbox file not removed", extra={"cause": type(error).__name__})

    def _read(self, chosen: list[_Stored]) -> list[Encoded]:
        entries = []
        for stored in chosen:
            waiting = unframe(self._files.read(stored.number, stored.offset, stored.size))
            if waiting is None:
                raise CorruptRecord("a record of the outbox is not what was written")
            entries.append(waiting.entry)
        return entries

    def _measure(self) -> None:
        gauge(names.OUTBOX_DEPTH, self.depth)
        gauge(names.OUTBOX_AGE, self.age_s())
        gauge(names.OUTBOX_BYTES, self.size_bytes)
        gauge(names.OUTBOX_ROOM, self._room())

    def _room(self) -> int:
        try:
            return min(self._settings.max_bytes - self.size_bytes, self._files.free_bytes() - self._buffered_bytes)
        except OSError:
            return 0
