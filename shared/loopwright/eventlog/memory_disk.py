"""An `OutboxFile` in memory whose power can fail: what was not synced is then lost, wholly or in part. For tests."""

from __future__ import annotations


class MemoryDisk:
    """Bytes as the process sees them, and bytes as they would be found after a crash.

    Attributes:
        failing: When set, writes and syncs raise it.
        aside: What was set aside.
        syncs: How often `sync` made something durable.
    """

    def __init__(self, durable: bytes = b"") -> None:
        self._durable = bytearray(durable)
        self._unsynced: list[tuple[int, bytes]] = []
        self.failing: OSError | None = None
        self.aside: list[bytes] = []
        self.syncs = 0
        self.closed = False

    def crash(self, kept: int = 0) -> MemoryDisk:
        """Return the disk after a power failure; of the bytes not synced only the first `kept` reached it."""
        survived = bytearray(self._durable)
        for offset, data in self._unsynced:
            part, kept = data[:kept], max(0, kept - len(data))
            _put(survived, offset, part)
        return MemoryDisk(bytes(survived))

    @property
    def unsynced_bytes(self) -> int:
        """Number of bytes that a crash may lose."""
        return sum(len(data) for _, data in self._unsynced)

    def size(self) -> int:
        """See `OutboxFile.size`."""
        return len(self._seen())

    def read(self, offset: int, length: int) -> bytes:
        """See `OutboxFile.read`."""
        return bytes(self._seen()[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        """See `OutboxFile.write`; a failing disk takes the first half."""
        if self.failing is not None:
            self._unsynced.append((offset, data[: len(data) // 2]))
            raise self.failing
        self._unsynced.append((offset, data))

    def sync(self) -> None:
        """See `OutboxFile.sync`."""
        if self.failing is not None:
            raise self.failing
        self._durable = self._seen()
        self._unsynced = []
        self.syncs += 1

    def truncate(self, size: int) -> None:
        """See `OutboxFile.truncate`."""
        self._durable = self._seen()[:size]
        self._unsynced = []

    def set_aside(self, data: bytes) -> None:
        """See `OutboxFile.set_aside`."""
        self.aside.append(data)

    def close(self) -> None:
        """See `OutboxFile.close`."""
        self.closed = True

    def _seen(self) -> bytearray:
        seen = bytearray(self._durable)
        for offset, data in self._unsynced:
            _put(seen, offset, data)
        return seen


def _put(into: bytearray, offset: int, data: bytes) -> None:
    if data:
        into.extend(b"\0" * (offset - len(into)))
        into[offset : offset + len(data)] = data
