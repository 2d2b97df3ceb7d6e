"""How far each consumer is behind the log, from the progress that replicas report on READINESS."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from loopwright.eventlog import Offsets, Record, offsets_from_json
from loopwright.lifecycle.convert import report_from_event
from loopwright.lifecycle.reports import ALIVE_KIND, PROGRESS_PREFIX, ReplicaState, Report


@dataclass(frozen=True, slots=True)
class Lag:
    """Records of a topic that a consumer (`service:what`) of a replica has still to fold."""

    consumer: str
    replica: str
    topic: str
    records: int


class ConsumerProgress:
    """The newest report of each consumer; a replica that stopped in order is left out, one that died is not."""

    def __init__(self) -> None:
        self._folds: dict[tuple[str, str], Report] = {}
        self._beats: dict[str, Report] = {}

    def apply(self, record: Record) -> None:
        """Fold one record of READINESS."""
        report = report_from_event(record.event)
        if report is None:
            return
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
        found = []
        for (replica, kind), report in sorted(self._folds.items()):
            beat = self._beats.get(replica)
            if beat is not None and beat.state is ReplicaState.STOPPED:
                continue
            left: Counter[str] = Counter()
            for (topic, partition), folded in offsets_from_json(report.artefact).items():
                left[topic] += max(0, ends.get((topic, partition), 0) - folded)
            consumer = f"{report.service}:{kind.removeprefix(PROGRESS_PREFIX)}"
            found += [Lag(consumer, replica, topic, left[topic]) for topic in sorted(left)]
        return found
