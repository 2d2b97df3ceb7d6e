"""How far each consumer is behind the log, from the progress that replicas report on READINESS."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from loopwright.eventlog import Offsets, Record, offsets_from_json
from loopwright.lifecycle.convert import report_from_event
from loopwright.lifecycle.reports import ALIVE_KIND, PROGRESS_PREFIX, ReplicaState, Report

SILENT_MS = 300_000
"""Log time without a word after which a replica has been replaced, if another reports the same: heartbeats come every
second, and the alert on lag waits twice as long."""


@dataclass(frozen=True, slots=True)
class Lag:
    """Records of a topic that a consumer (`service:what`) of a replica has still to fold."""

    consumer: str
    replica: str
    topic: str
    records: int


class ConsumerProgress:
    """The newest report of each consumer.

    Left out are replicas that stopped in order, and those silent for `SILENT_MS` by the time another that did not stop
    was heard of with the same consumer: a replica named after its pod never comes back. So the last ones of a service
    that died as a whole stay.
    """

    def __init__(self) -> None:
        self._folds: dict[tuple[str, str], Report] = {}
        self._beats: dict[str, Report] = {}
        self._heard_ms: dict[str, int] = {}

    def apply(self, record: Record) -> None:
        """Fold one record of READINESS."""
        report = report_from_event(record.event)
        if report is None:
            return
        # The broker's clock, as those of replicas differ.
        self._heard_ms[report.replica] = max(self._heard_ms.get(report.replica, 0), record.log_time_ms)
        if report.kind == ALIVE_KIND:
            known = self._beats.get(report.replica)
            if known is None or known.reported_at_ms <= report.reported_at_ms:
                self._beats[report.replica] = report
        elif report.kind.startswith(PROGRESS_PREFIX):
            key = (report.replica, report.kind)
            known = self._folds.get(key)
            if known is None or known.reported_at_ms <= report.reported_at_ms:
                self._folds[key] = report

    def lags(self, ends: Offsets) -> list[Lag]:
        """Return every consumer's lag per topic it reports, against the ends of the log."""
        newest_ms: dict[tuple[str, str], int] = {}
        for (replica, kind), report in self._folds.items():
            if not self._stopped(replica):
                consumer = (report.service, kind)
                newest_ms[consumer] = max(newest_ms.get(consumer, 0), self._heard_ms[replica])
        found = []
        for (replica, kind), report in sorted(self._folds.items()):
            if self._stopped(replica) or self._heard_ms[replica] < newest_ms[report.service, kind] - SILENT_MS:
                continue
            left: Counter[str] = Counter()
            for (topic, partition), folded in offsets_from_json(report.artefact).items():
                left[topic] += max(0, ends.get((topic, partition), 0) - folded)
            name = f"{report.service}:{kind.removeprefix(PROGRESS_PREFIX)}"
            found += [Lag(name, replica, topic, left[topic]) for topic in sorted(left)]
        return found

    def _stopped(self, replica: str) -> bool:
        beat = self._beats.get(replica)
        return beat is not None and beat.state is ReplicaState.STOPPED
