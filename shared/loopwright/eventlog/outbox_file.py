"""The file under the outbox, as few operations as it needs, so that a test can put a disk that forgets in its place."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from loopwright.faults import Conflict


class OutboxFile(Protocol):
    """A file that is durable up to the last `sync`; all calls block and may raise OSError."""

    def size(self) -> int:
        """Return the length in bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data`; not durable yet."""
        ...

    def sync(self) -> None:
        """Make everything written durable."""
        ...

    def truncate(self, size: int) -> None:
        """Cut to `size` bytes, durably."""
        ...

    def set_aside(self, data: bytes) -> None:
        """Keep bytes that cannot be used, for a person to look at."""
        ...

    def close(self) -> None:
        """Close."""
        ...


class DiskFile:
    """The real one: `outbox.log` in a folder that one process owns, by a lock."""

    def __init__(self, folder: Path) -> None:
        """Open or create the file.

        Raises:
            Conflict: Another process has the folder.
            OSError: The folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._fd = os.open(folder / "outbox.log", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._sync_folder()
        except BlockingIOError as error:
            os.close(self._fd)
            raise Conflict("another process has the outbox's folder") from error

    def size(self) -> int:
        """See `OutboxFile.size`."""
        return os.fstat(self._fd).st_size

    def read(self, offset: int, length: int) -> bytes:
        """See `OutboxFile.read`."""
        return os.pread(self._fd, length, offset)

    def write(self, offset: int, data: bytes) -> None:
        """See `OutboxFile.write`."""
        left = memoryview(data)
        while left:
            done = os.pwrite(self._fd, left, offset)
            left, offset = left[done:], offset + done

    def sync(self) -> None:
        """See `OutboxFile.sync`."""
        os.fdatasync(self._fd)

    def truncate(self, size: int) -> None:
        """See `OutboxFile.truncate`."""
        os.ftruncate(self._fd, size)
        os.fsync(self._fd)

    def set_aside(self, data: bytes) -> None:
        """See `OutboxFile.set_aside`."""
        number = sum(1 for _ in self._folder.glob("torn-*.bin"))
        (self._folder / f"torn-{number:04}.bin").write_bytes(data)
        self._sync_folder()

    def close(self) -> None:
        """See `OutboxFile.close`."""
        os.close(self._fd)

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
