"""Events of CONTROL and READINESS to and from the values of this room."""

from __future__ import annotations

from loopwright.api.events.v1.control_pb2 import ReplicaReported
from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.ids import event_id
from loopwright.eventlog import HasNow, make_event
from loopwright.lifecycle.reports import ALIVE_KIND, ReplicaState, Report


def clock_offset_ms(event: Event) -> int | None:
    """Return the offset that a ClockSet sets in milliseconds, None for another payload."""
    if event.WhichOneof("payload") != "clock_set":
        return None
    offset = event.clock_set.offset
    return offset.seconds * 1000 + round(offset.nanos / 1_000_000)


def report_from_event(event: Event) -> Report | None:
    """Return the report of an event; None for another payload or a state this build does not know."""
    if event.WhichOneof("payload") != "replica_reported":
        return None
    said = event.replica_reported
    if said.state not in ReplicaState._value2member_map_:
        return None
    state = ReplicaState(said.state)
    artefact = said.artefact
    if said.kind == ALIVE_KIND and not artefact.isdigit():
        artefact = "0"  # a writer that does not tell its start: none of its reports is older
    return Report(said.replica, said.service, said.kind, artefact, state, said.reason, said.reported_at_ms)


def report_to_event(report: Report, number: int, clock: HasNow) -> Event:
    """Return the event of a report; `number` tells two reports of one replica in one millisecond apart."""
    identity = event_id("replica_reported", report.replica, report.kind, report.artefact, report.reported_at_ms, number)
    said = ReplicaReported(
        replica=report.replica,
        service=report.service,
        kind=report.kind,
        artefact=report.artefact,
        state=f"REPLICA_STATE_{report.state.name}",
        reason=report.reason,
        reported_at_ms=report.reported_at_ms,
    )
    return make_event(identity, clock.now_ms(), clock, report.service, replica_reported=said)
