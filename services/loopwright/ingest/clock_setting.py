"""Sets the mesh clock: never before the newest fact, never once a decision was served; the servicer calls it."""

from __future__ import annotations

import asyncio

from loopwright.eventlog import CONTROL, MESH_KEY, EventLog
from loopwright.faults import ClockRefused, DeadlineExceeded
from loopwright.ingest.convert import clock_event
from loopwright.ingest.watermarks import Watermarks
from loopwright.lifecycle import MeshClock
from loopwright.rpc import Deadline

_POLL_S = 0.005


class ClockSetter:
    """Holds the gate of the intake, so that no fact of ours is stamped with the old time after the check."""

    def __init__(self, log: EventLog, clock: MeshClock, marks: Watermarks, gate: asyncio.Lock) -> None:
        self._log, self._clock, self._marks, self._gate = log, clock, marks, gate

    async def set(self, mesh_ms: int, cause: str, deadline: Deadline) -> int:
        """Make `mesh_ms` the mesh time of this moment and return mesh time once this process follows it.

        Raises:
            ClockRefused: A SERVE decision is on the log, or a fact is newer than `mesh_ms`.
            DeadlineExceeded: The log was not read to its end, or our clock did not follow in time.
            AppendTimeout, LogUnavailable: The setting is not durable.
        """
        async with self._gate:
            await self._marks.refresh(deadline)
            if self._marks.clock_fixed:
                raise ClockRefused(
                    "a served decision is on the log: the clock is fixed", metadata={"cause": "CLOCK_FIXED"}
                )
            newest = self._marks.newest_ms()
            if newest is not None and mesh_ms < newest:
                raise ClockRefused(
                    "mesh time must not be before the newest fact on the log",
                    metadata={"cause": "BEFORE_NEWEST", "newest_occurred_at_ms": str(newest)},
                )
            wall = self._clock.wall_ms()
            event = clock_event(mesh_ms, wall, cause, self._clock)
            await self._log.append(CONTROL, MESH_KEY, event, deadline=deadline)
            while self._clock.offset_ms != mesh_ms - wall:
                if deadline.expired:
                    raise DeadlineExceeded("the clock is set, but this process does not follow it yet")
                await asyncio.sleep(_POLL_S)
            return self._clock.now_ms()
