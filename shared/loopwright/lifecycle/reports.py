"""What replicas report about themselves, as plain values; the reporter writes them, the view reads them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

ALIVE_KIND = ""
PROGRESS_PREFIX = "progress:"


class ReplicaState(IntEnum):
    """What became of an artefact on a replica; numbers equal those of the event."""

    LOADED = 1
    REJECTED = 2
    ALIVE = 3
    STOPPED = 4


@dataclass(frozen=True, slots=True)
class Report:
    """One report.

    Attributes:
        replica: Name of the replica, unique in the mesh.
        service: Service it belongs to.
        kind: Kind of artefact; empty for ALIVE and STOPPED, `progress:<what>` for progress.
        artefact: Version of the artefact; for ALIVE the wall time of the replica's start in milliseconds; for progress
            the offsets folded so far as JSON.
        state: What became of it.
        reason: Why it was rejected.
        reported_at_ms: Wall time of the report.
    """

    replica: str
    service: str
    kind: str
    artefact: str
    state: ReplicaState
    reason: str
    reported_at_ms: int


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica with a live heartbeat: when it started and was last heard of, in wall milliseconds."""

    name: str
    service: str
    since_ms: int
    heard_at_ms: int


def report_key(report: Report) -> bytes:
    """Return the record key: one per artefact, but one per kind where only the newest matters."""
    newest_only = report.kind == ALIVE_KIND or report.kind.startswith(PROGRESS_PREFIX)
    parts = (report.replica, report.kind) if newest_only else (report.replica, report.kind, report.artefact)
    return "\n".join(parts).encode()
