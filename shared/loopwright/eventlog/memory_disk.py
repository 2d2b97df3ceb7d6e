"""`OutboxFiles` in memory on a disk that forgets: what was not synced is lost in part at a crash. For tests.

It keeps apart what the process sees (the page cache) and what would be found after a power failure (the platter).
After a failed sync its bytes are clean, as kernels have it: they are still seen, and no later sync writes them.
Bytes outside a write that was under way stay as they were ("powersafe overwrite", https://sqlite.org/psow.html).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field

Choose = Callable[[int], int]
"""Given n, returns one of 0..n-1: what becomes of bytes that were not synced."""


def nothing_survives(n: int) -> int:
    """Return 0: of what was not synced, nothing reaches the platter."""
    return 0


@dataclass(slots=True)
class _File:
    seen: bytearray = field(default_factory=bytearray)
    platter: bytearray = field(default_factory=bytearray)
    dirty: list[tuple[int, int]] = field(default_factory=list)

    def copy(self) -> _File:
        return _File(bytearray(self.seen), bytearray(self.platter), list(self.dirty))


class MemoryDisk:
    """Files as the process sees them, and as they would be found after a crash.

    Attributes:
        refuses: Raised by creates, writes and syncs; a refused write takes its first half.
        refuses_sync: Raised by syncs, after which the bytes are forgotten.
        refuses_truncate: Raised by truncations and removals, which may have happened nevertheless.
        capacity: Most bytes of all files together.
        before_sync: Called when a sync is asked for, before it does anything.
        aside: What was set aside.
        syncs: How often `sync` made something durable.
    """

    def __init__(self, *files: bytes, choose: Choose = nothing_survives, capacity: int = 1 << 40) -> None:
        """Make a disk with these files, numbered from 0."""
        self._files = {n: _File(bytearray(data), bytearray(data)) for n, data in enumerate(files)}
        self._removed: dict[int, _File] = {}
        self._choose = choose
        self.capacity = capacity
        self.refuses: OSError | None = None
        self.refuses_sync: OSError | None = None
        self.refuses_truncate: OSError | None = None
        self.before_sync: Callable[[], object] = lambda: None
        self.aside: list[bytes] = []
        self.syncs = 0
        self.closed = False

    def crash(self, choose: Choose | None = None) -> MemoryDisk:
        """Return the disk after a power failure: of what was not synced, what `choose` says reached the platter."""
        after = MemoryDisk(choose=choose or self._choose, capacity=self.capacity)
        came_back = {n: file for n, file in self._removed.items() if after._choose(2)}
        for number, file in sorted({**came_back, **self._files}.items()):
            left = file.copy()
            after._settle(left)
            left.seen = bytearray(left.platter)
            after._files[number] = left
        return after

    def killed(self) -> MemoryDisk:
        """Return the disk after the process was killed: what was written is still seen."""
        after = MemoryDisk(choose=self._choose, capacity=self.capacity)
        after._files = {number: file.copy() for number, file in self._files.items()}
        after._removed = {number: file.copy() for number, file in self._removed.items()}
        return after

    @property
    def unsynced_bytes(self) -> int:
        """Number of bytes that a crash may lose."""
        return sum(end - start for file in self._files.values() for start, end in file.dirty)

    @property
    def used_bytes(self) -> int:
        """Length of all files together."""
        return sum(len(file.seen) for file in self._files.values())

    def numbers(self) -> list[int]:
        """See `OutboxFiles.numbers`."""
        return sorted(self._files)

    def create(self, number: int) -> None:
        """See `OutboxFiles.create`."""
        if number in self._files:
            raise FileExistsError(errno.EEXIST, "file exists")
        if self.refuses is not None:
            if self._choose(2):
                self._files[number] = _File()
            raise self.refuses
        self._files[number] = _File()
        self._removed.clear()  # the folder was synced

    def size(self, number: int) -> int:
        """See `OutboxFiles.size`."""
        return len(self._files[number].seen)

    def read(self, number: int, offset: int, length: int) -> bytes:
        """See `OutboxFiles.read`."""
        return bytes(self._files[number].seen[offset : offset + length])

    def write(self, number: int, offset: int, data: bytes) -> None:
        """See `OutboxFiles.write`; a disk that refuses or is full takes a part."""
        file, error = self._files[number], self.refuses
        taken = data if error is None else data[: len(data) // 2]
        if len(taken) > self.free_bytes():
            taken, error = taken[: self.free_bytes()], OSError(errno.ENOSPC, "no space left on device")
        _put(file.seen, offset, taken)
        file.dirty.append((offset, offset + len(taken)))
        if error is not None:
            raise error

    def sync(self, number: int) -> None:
        """See `OutboxFiles.sync`."""
        self.before_sync()
        file, error = self._files[number], self.refuses or self.refuses_sync
        if error is not None:
            self._settle(file)
            raise error
        for start, end in file.dirty:
            _put(file.platter, start, file.seen[start:end])
        file.dirty.clear()
        self.syncs += 1

    def truncate(self, number: int, size: int) -> None:
        """See `OutboxFiles.truncate`."""
        file, error = self._files[number], self.refuses_truncate
        if error is None or self._choose(2):
            del file.seen[size:]
            file.dirty = [(start, min(end, size)) for start, end in file.dirty if start < size]
        if error is not None:
            raise error
        self.sync(number)
        del file.platter[size:]

    def remove(self, number: int) -> None:
        """See `OutboxFiles.remove`."""
        if self.refuses_truncate is not None:
            raise self.refuses_truncate
        self._removed[number] = self._files.pop(number)

    def set_aside(self, data: bytes) -> None:
        """See `OutboxFiles.set_aside`."""
        self.aside.append(data)

    def free_bytes(self) -> int:
        """See `OutboxFiles.free_bytes`."""
        return max(0, self.capacity - self.used_bytes)

    def close(self) -> None:
        """See `OutboxFiles.close`."""
        self.closed = True

    def _settle(self, file: _File) -> None:
        """Let each unsynced range reach the platter wholly, in part, torn or not at all, and forget it."""
        for start, end in file.dirty:
            fate, cut = self._choose(5), start + self._choose(end - start + 1)
            if fate == 1:
                _put(file.platter, start, file.seen[start:end])
            if fate in (2, 4):
                _put(file.platter, start, file.seen[start:cut])
            if fate == 3:  # the later sectors went first
                _put(file.platter, cut, file.seen[cut:end])
            if fate == 4:
                _put(file.platter, cut, bytes(byte ^ 0x5A for byte in file.seen[cut:end]))
        file.dirty.clear()


def _put(into: bytearray, offset: int, data: bytes | bytearray) -> None:
    if data:
        into.extend(b"\0" * (offset - len(into)))
        into[offset : offset + len(data)] = data
