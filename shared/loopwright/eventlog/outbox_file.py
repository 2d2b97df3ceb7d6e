"""The files under the outbox, as few operations as it needs, so that a test can put a disk that forgets in their place.

Files are numbered and only grow. One that failed a write or sync is never appended to again: after a failed fsync the
kernel may have dropped what it holds, and later syncs would not tell (https://lwn.net/Articles/752063/).
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from loopwright.faults import Conflict

_PREFIX, _SUFFIX = "outbox-", ".log"


class OutboxFiles(Protocol):
    """Numbered files, each durable up to its last `sync`; all calls block and may raise OSError."""

    def numbers(self) -> list[int]:
        """Return the numbers of the files there are, ascending."""
        ...

    def create(self, number: int) -> None:
        """Make an empty file; its name is durable on return."""
        ...

    def size(self, number: int) -> int:
        """Return the length in bytes."""
        ...

    def read(self, number: int, offset: int, length: int) -> bytes:
        """Return up to `length` bytes."""
        ...

    def write(self, number: int, offset: int, data: bytes) -> None:
        """Write all of `data`; not durable yet."""
        ...

    def sync(self, number: int) -> None:
        """Make everything written durable."""
        ...

    def truncate(self, number: int, size: int) -> None:
        """Cut to `size` bytes, durably."""
        ...

    def remove(self, number: int) -> None:
        """Remove a file; after a crash it may be there again."""
        ...

    def set_aside(self, data: bytes) -> None:
        """Keep bytes that cannot be used, for a person to look at."""
        ...

    def free_bytes(self) -> int:
        """Return how much more the disk takes."""
        ...

    def close(self) -> None:
        """Close."""
        ...


class DiskFolder:
    """The real ones: `outbox-<number>.log` in a folder that one process owns, by a lock."""

    def __init__(self, folder: Path) -> None:
        """Take the folder.

        Raises:
            Conflict: Another process has the folder.
            OSError: The folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._open: dict[int, int] = {}
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._sync_folder()
        except BlockingIOError as error:
            os.close(self._lock)
            raise Conflict("another process has the outbox's folder") from error

    def numbers(self) -> list[int]:
        """See `OutboxFiles.numbers`."""
        names = (path.name for path in self._folder.glob(f"{_PREFIX}*{_SUFFIX}"))
        return sorted(int(name.removeprefix(_PREFIX).removesuffix(_SUFFIX)) for name in names)

    def create(self, number: int) -> None:
        """See `OutboxFiles.create`."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._open[number] = os.open(self._path(number), flags, 0o600)
        self._sync_folder()

    def size(self, number: int) -> int:
        """See `OutboxFiles.size`."""
        return os.fstat(self._fd(number)).st_size

    def read(self, number: int, offset: int, length: int) -> bytes:
        """See `OutboxFiles.read`."""
        return os.pread(self._fd(number), length, offset)

    def write(self, number: int, offset: int, data: bytes) -> None:
        """See `OutboxFiles.write`."""
        left = memoryview(data)
        while left:
            done = os.pwrite(self._fd(number), left, offset)
            left, offset = left[done:], offset + done

    def sync(self, number: int) -> None:
        """See `OutboxFiles.sync`."""
        os.fdatasync(self._fd(number))

    def truncate(self, number: int, size: int) -> None:
        """See `OutboxFiles.truncate`."""
        os.ftruncate(self._fd(number), size)
        os.fsync(self._fd(number))

    def remove(self, number: int) -> None:
        """See `OutboxFiles.remove`."""
        if number in self._open:
            os.close(self._open.pop(number))
        self._path(number).unlink(missing_ok=True)

    def set_aside(self, data: bytes) -> None:
        """See `OutboxFiles.set_aside`."""
        number = sum(1 for _ in self._folder.glob("torn-*.bin"))
        (self._folder / f"torn-{number:04}.bin").write_bytes(data)
        self._sync_folder()

    def free_bytes(self) -> int:
        """See `OutboxFiles.free_bytes`."""
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def close(self) -> None:
        """See `OutboxFiles.close`."""
        for fd in (*self._open.values(), self._lock):
            os.close(fd)
        self._open.clear()

    def _fd(self, number: int) -> int:
        if number not in self._open:
            self._open[number] = os.open(self._path(number), os.O_RDWR | os.O_CLOEXEC)
        return self._open[number]

    def _path(self, number: int) -> Path:
        return self._folder / f"{_PREFIX}{number:08}{_SUFFIX}"

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
