"""The mesh clock: wall time plus the offset on the log; every process folds CONTROL before it is ready."""

from __future__ import annotations

from loopwright.eventlog import Record, WallClock, wall_now_ms
from loopwright.lifecycle.convert import clock_offset_ms


class MeshClock:
    """Mesh time in milliseconds; 0 offset until the log sets one."""

    def __init__(self, wall_ms: WallClock = wall_now_ms) -> None:
        self._wall_ms = wall_ms
        self._offset_ms = 0
        self._seen: set[bytes] = set()

    @property
    def offset_ms(self) -> int:
        """Mesh time less wall time."""
        return self._offset_ms

    def now_ms(self) -> int:
        """Return mesh time."""
        return self._wall_ms() + self._offset_ms

    def wall_ms(self) -> int:
        """Return wall time, for operations only."""
        return self._wall_ms()

    def apply(self, record: Record) -> None:
        """Fold a record of CONTROL; the newest setting on the log holds, one sent again changes nothing."""
        offset = clock_offset_ms(record.event)
        if offset is not None and record.event.event_id not in self._seen:
            self._seen.add(record.event.event_id)
            self._offset_ms = offset


class FixedClock:
    """A clock that stands until it is moved, for tests and replays."""

    def __init__(self, wall_ms: int, offset_ms: int = 0) -> None:
        self._now = wall_ms
        self.offset_ms = offset_ms

    def now_ms(self) -> int:
        """Return mesh time."""
        return self._now + self.offset_ms

    def wall_ms(self) -> int:
        """Return wall time."""
        return self._now

    def advance(self, ms: int) -> None:
        """Move the clock."""
        self._now += ms
