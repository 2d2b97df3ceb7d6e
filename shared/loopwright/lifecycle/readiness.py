"""`ReadinessView` knows which replicas live and what they have loaded; activation, `doctor` and importers ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from loopwright.eventlog import (
    READINESS,
    EventLog,
    Offsets,
    Record,
    Tail,
    WallClock,
    covers,
    missing,
    offsets_from_json,
    wall_now_ms,
)
from loopwright.faults import DeadlineExceeded
from loopwright.lifecycle.convert import report_from_event
from loopwright.lifecycle.reports import ALIVE_KIND, PROGRESS_PREFIX, Replica, ReplicaState, Report
from loopwright.rpc import Deadline

LIVE_WITHIN_MS = 5_000
_POLL_S = 0.1
K = TypeVar("K")


class ReadinessView:
    """A fold of READINESS; the newest report of each (replica, kind, artefact) holds, by the time it was made."""

    def __init__(self, log: EventLog, wall_ms: WallClock = wall_now_ms) -> None:
        self.tail = Tail(log, [READINESS], self.apply, gather=True, name="readiness")
        self._wall_ms = wall_ms
        self._beats: dict[str, Report] = {}
        self._reports: dict[tuple[str, str, str], Report] = {}
        self._progress: dict[tuple[str, str], Report] = {}
        self._changed = asyncio.Event()

    def apply(self, record: Record) -> None:
        """Fold one record."""
        report = report_from_event(record.event)
        if report is None:
            return
        if report.kind == ALIVE_KIND:
            _keep(self._beats, report.replica, report)
        elif report.kind.startswith(PROGRESS_PREFIX):
            _keep(self._progress, (report.replica, report.kind), report)
        else:
            _keep(self._reports, (report.replica, report.kind, report.artefact), report)
        self._changed.set()

    def live(self, service: str) -> list[Replica]:
        """Return the service's replicas whose heartbeat is younger than 5 s, by name."""
        oldest = self._wall_ms() - LIVE_WITHIN_MS
        beats = (self._beats[name] for name in sorted(self._beats))
        return [
            Replica(beat.replica, beat.service, int(beat.artefact), beat.reported_at_ms)
            for beat in beats
            if beat.service == service and beat.state is ReplicaState.ALIVE and beat.reported_at_ms > oldest
        ]

    def state(self, replica: str, kind: str, artefact: str) -> Report | None:
        """Return what a replica last said of an artefact since its present start, None when it said nothing."""
        return self._present(self._reports.get((replica, kind, artefact)))

    def progress(self, replica: str, what: str) -> Offsets:
        """Return what a replica's fold has come to since its present start; empty when it has not said."""
        report = self._present(self._progress.get((replica, PROGRESS_PREFIX + what)))
        return offsets_from_json(report.artefact) if report else {}

    async def changed(self, timeout_s: float) -> None:
        """Wait for the next report, at most `timeout_s`.

        Raises:
            Exception: What ended the tail.
        """
        if self.tail.failure is not None:
            raise self.tail.failure
        self._changed.clear()
        waiter = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait([waiter], timeout=timeout_s)
        finally:
            waiter.cancel()

    async def __aenter__(self) -> Self:
        """Fold to the present end, then go on in the background."""
        await self.tail.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.tail.stop()

    def _present(self, report: Report | None) -> Report | None:
        """Return the report unless its replica has started anew since, or has stopped."""
        if report is None:
            return None
        beat = self._beats.get(report.replica)
        if beat is None or beat.state is not ReplicaState.ALIVE or report.reported_at_ms < int(beat.artefact):
            return None
        return report


def _keep(table: dict[K, Report], key: K, report: Report) -> None:
    known = table.get(key)
    if known is None or known.reported_at_ms <= report.reported_at_ms:
        table[key] = report


async def wait_for(
    view: ReadinessView, predicate: Callable[[ReadinessView], bool], deadline: Deadline, *, what: str
) -> None:
    """Return once the predicate holds.

    Raises:
        DeadlineExceeded: It did not by the deadline; `what` is its text.
    """
    while not predicate(view):
        if deadline.expired:
            raise DeadlineExceeded(what)
        await view.changed(min(_POLL_S, deadline.remaining()))  # heartbeats also age without any report


async def wait_folded(
    view: ReadinessView,
    service: str,
    what: str,
    ends: Offsets,
    deadline: Deadline,
    *,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Return once every live replica of a service, at least one, has folded everything before `ends`.

    Args:
        view: A started view.
        service: Whose replicas.
        what: Name of the fold, as given to `ReadinessReporter.progress`.
        ends: Offsets to reach.
        deadline: When to give up.
        on_progress: Gets the share folded, 0 to 1, of the replica furthest behind.

    Raises:
        DeadlineExceeded: Names the replicas that are behind.
    """
    begun: list[int] = []

    def behind() -> list[str]:
        return [replica.name for replica in view.live(service) if not covers(view.progress(replica.name, what), ends)]

    def folded(_: ReadinessView) -> bool:
        replicas = view.live(service)
        left = max((missing(view.progress(r.name, what), ends) for r in replicas), default=0)
        if left and not begun:
            begun.append(left)
        if on_progress is not None and replicas:
            on_progress(1.0 - left / begun[0] if begun and left <= begun[0] else 0.0 if left else 1.0)
        return bool(replicas) and not behind()

    try:
        await wait_for(view, folded, deadline, what=f"{what} of {service} is behind")
    except DeadlineExceeded as error:
        names = ", ".join(behind()) or f"no live replica of {service}"
        raise DeadlineExceeded(f"{what} of {service} is not folded in time: {names}") from error
