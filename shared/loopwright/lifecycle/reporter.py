"""`ReadinessReporter` tells the mesh what a replica has loaded or refused, how far its folds are, and that it lives."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from loopwright.eventlog import READINESS, EventLog, Offsets, offsets_from_json, offsets_to_json
from loopwright.faults import Fault
from loopwright.lifecycle.clock import MeshClock
from loopwright.lifecycle.convert import report_to_event
from loopwright.lifecycle.reports import ALIVE_KIND, PROGRESS_PREFIX, ReplicaState, Report, report_key
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger

_log = get_logger(__name__)
TICK_S = 0.25
"""How often progress goes out when it changed; an importer waits for it."""
_APPEND_S = 1.0


class ReadinessReporter:
    """Reports of one replica; unsent ones are tried again every tick, so an outage of the log loses none."""

    def __init__(
        self, log: EventLog, clock: MeshClock, service: str, replica: str, *, heartbeat_interval_s: float = 1.0
    ) -> None:
        self._log, self._clock = log, clock
        self._service, self._replica = service, replica
        self._interval_ms = heartbeat_interval_s * 1000
        self._since_ms = clock.wall_ms()
        self._beat_at_ms = 0
        self._unsent: dict[bytes, Report] = {}
        self._progress: dict[str, str] = {}
        self._number = 0
        self._sending = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def loaded(self, kind: str, artefact: str) -> None:
        """Report that an artefact is verified and serving."""
        self._put(kind, artefact, ReplicaState.LOADED)
        await self._flush()

    async def rejected(self, kind: str, artefact: str, reason: str) -> None:
        """Report that an artefact was refused; `reason` begins with a stable code."""
        self._put(kind, artefact, ReplicaState.REJECTED, reason)
        await self._flush()

    def progress(self, what: str, offsets: Offsets) -> None:
        """Note what a fold has come to; goes out with the next tick when it changed."""
        artefact = offsets_to_json(offsets)
        if self._progress.get(what) != artefact:
            self._progress[what] = artefact
            self._put(PROGRESS_PREFIX + what, artefact, ReplicaState.ALIVE)

    def folded(self, what: str) -> Offsets:
        """Return what was last noted of a fold; empty before the first note."""
        return offsets_from_json(self._progress.get(what, "{}"))

    async def __aenter__(self) -> Self:
        """Send the first heartbeat and go on in the background."""
        await self._tick()
        self._task = asyncio.create_task(self._beat(), name=f"heartbeat {self._replica}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the heartbeat and report STOPPED."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._put(ALIVE_KIND, "", ReplicaState.STOPPED)
        await self._flush()

    async def wait(self) -> None:
        """Return once stopped; raise what ended the heartbeat otherwise."""
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self._tick()

    async def _tick(self) -> None:
        now = self._clock.wall_ms()
        if now - self._beat_at_ms >= self._interval_ms:
            self._beat_at_ms = now
            self._put(ALIVE_KIND, str(self._since_ms), ReplicaState.ALIVE)
        await self._flush()

    def _put(self, kind: str, artefact: str, state: ReplicaState, reason: str = "") -> None:
        now = self._clock.wall_ms()
        report = Report(self._replica, self._service, kind, artefact, state, reason, now)
        self._unsent[report_key(report)] = report

    async def _flush(self) -> None:
        async with self._sending:
            taken, self._unsent = self._unsent, {}
            for key, report in taken.items():
                self._number += 1
                event = report_to_event(report, self._number, self._clock)
                try:
                    await self._log.append(READINESS, key, event, deadline=Deadline.after(_APPEND_S))
                except BaseException as error:
                    self._unsent = taken | self._unsent  # what was sent goes out again, which changes nothing
                    if not isinstance(error, Fault) or not error.retryable:
                        raise
                    _log.warning("report not sent yet", extra={"kind": report.kind, "reason": error.reason})
                    return
