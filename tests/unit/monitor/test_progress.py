from __future__ import annotations

from loopwright.eventlog import (
    ACTIONS,
    ORGANIC,
    READINESS,
    MemoryBroker,
    MemoryEventLog,
    Record,
    Tail,
    offsets_to_json,
)
from loopwright.lifecycle import FixedClock, ServiceSettings, process_over
from loopwright.lifecycle.convert import report_to_event
from loopwright.lifecycle.reports import ALIVE_KIND, PROGRESS_PREFIX, ReplicaState, Report
from loopwright.monitor.progress import SILENT_MS, ConsumerProgress, Lag
from loopwright.rpc import Deadline


class Settings(ServiceSettings, service="projector"):
    """A consumer's settings."""


async def test_lag_is_what_lies_between_the_reported_offsets_and_the_ends() -> None:
    broker = MemoryBroker(partitions=2)
    progress = ConsumerProgress()
    async with Tail(MemoryEventLog(broker, producer="monitor"), [READINESS], progress.apply) as tail:
        log = MemoryEventLog(broker, producer="projector")
        async with process_over(log, "projector", Settings()) as running:
            running.readiness.progress("users", {(ORGANIC.name, 0): 3, (ORGANIC.name, 1): 0, (ACTIONS.name, 0): 9})
            await running.readiness.loaded("bundle", "v")
            await tail.reached(await log.ends([READINESS]), _soon())
            ends = {(ORGANIC.name, 0): 5, (ORGANIC.name, 1): 4, (ACTIONS.name, 0): 7}
            assert progress.lags(ends) == [
                Lag("projector:users", "projector-0", "actions", 0),
                Lag("projector:users", "projector-0", "organic", 6),
            ]
        await tail.reached(await log.ends([READINESS]), _soon())
        assert progress.lags(ends) == []  # it stopped in order


def heard(
    progress: ConsumerProgress, replica: str, at_ms: int, *, folded: int = 0, state: ReplicaState = ReplicaState.ALIVE
) -> None:
    """Let a replica of hydration tell what it folded, then that it lives."""
    offsets = offsets_to_json({("item_rows", 0): folded})
    for kind, artefact in ((f"{PROGRESS_PREFIX}mirror", offsets), (ALIVE_KIND, "0")):
        report = Report(replica, "hydration", kind, artefact, state, "", at_ms)
        event = report_to_event(report, 0, FixedClock(at_ms))
        progress.apply(Record("readiness", 0, 0, 0, b"", event, b"", "", at_ms))


ENDS = {("item_rows", 0): 90}


def lags(progress: ConsumerProgress) -> dict[str, int]:
    return {lag.replica: lag.records for lag in progress.lags(ENDS)}


def test_a_dead_replica_is_left_out_once_another_has_gone_on_without_it() -> None:
    progress = ConsumerProgress()
    heard(progress, "pod-a", 1_000, folded=10)
    heard(progress, "pod-b", 1_000 + SILENT_MS, folded=80)
    assert lags(progress) == {"pod-a": 80, "pod-b": 10}
    heard(progress, "pod-b", 1_001 + SILENT_MS, folded=90)
    assert lags(progress) == {"pod-b": 0}


def test_a_service_of_which_nothing_lives_still_shows() -> None:
    progress = ConsumerProgress()
    heard(progress, "pod-a", 1_000, folded=10)
    assert lags(progress) == {"pod-a": 80}
    heard(progress, "pod-b", 9 * SILENT_MS, folded=80, state=ReplicaState.STOPPED)
    assert lags(progress) == {"pod-a": 80}  # one that stopped does not go on in its place


def _soon() -> Deadline:
    return Deadline.after(5)
