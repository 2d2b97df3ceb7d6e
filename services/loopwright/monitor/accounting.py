"""Impression accounting: of every position that was decided, what the client said; a pure fold, order-free."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from heapq import heappop, heappush

from loopwright.monitor.facts import Acted, Served, Viewed
from loopwright.monitor.strays import DAY_MS, Report, Strays

PREFETCHED, SEEN, ACTED = 1, 2, 4
STATES = ("positions", "seen", "prefetched", "pending", "unreported", "acted", "acted_unseen", "unmatched")
"""`positions` = seen + prefetched + pending + unreported; `acted_unseen` of `acted` were never reported as seen;
`unmatched` are reports and actions on items that no SERVE decision of the day before placed."""


@dataclass(slots=True)
class _Slate:
    """Bits per item; they are only ever added, so neither order nor repetition matters. `due`: no longer pending."""

    surface: str
    at_ms: int
    items: dict[int, int]
    due: bool = False


class Accounting:
    """Running counters; slates stay open while a report can still be theirs: one the log got within a day of them.

    The day is told by the times of decision and report, never by when they are folded, so a fold that follows the log
    and one that reads it again come to the same figures.

    Args:
        report_window_ms: Positions without a report are pending for this long, at most a day, then unreported.
    """

    def __init__(self, report_window_ms: int) -> None:
        self._window_ms = min(report_window_ms, DAY_MS)
        self._now_ms = -(1 << 62)
        self._open: dict[bytes, _Slate] = {}
        self._strays = Strays()
        self._counts: dict[str, Counter[str]] = {}
        # Heaps by time of decision: of the pending slates, and of all that are open.
        self._pending: list[tuple[int, bytes]] = []
        self._settling: list[tuple[int, bytes]] = []

    @property
    def open_slates(self) -> int:
        """Slates in memory."""
        return len(self._open)

    def apply(self, fact: Served | Viewed | Acted) -> None:
        """Fold one fact."""
        if isinstance(fact, Served):
            self._serve(fact)
        elif isinstance(fact, Viewed):
            for item, seen in fact.items:
                bit = SEEN if seen else PREFETCHED
                self._report(Report(fact.decision_id, fact.surface, fact.viewed_ms, item, bit))
        else:
            self._report(Report(fact.decision_id, fact.surface, fact.acted_ms, fact.item_id, ACTED))

    def settle(self, read_to_ms: int) -> None:
        """Let go of what no further report can change.

        Args:
            read_to_ms: Everything that the log got before this is folded.
        """
        self._expire(read_to_ms - DAY_MS)
        while self._settling and self._settling[0][0] < read_to_ms - DAY_MS:
            self._open.pop(heappop(self._settling)[1])
        self._strays.forget(read_to_ms)

    def totals(self, now_ms: int) -> dict[str, dict[str, int]]:
        """Return surface -> state -> items, every state of `STATES`, of the surfaces with any.

        Args:
            now_ms: Mesh time.
        """
        if now_ms < self._now_ms:
            self._set_back(now_ms)
        self._now_ms = now_ms
        self._expire(now_ms - self._window_ms + 1)
        found: dict[str, dict[str, int]] = {}
        for surface in self._counts.keys() | self._strays.counts.keys():
            counts = self._counts.get(surface, Counter()) + Counter(unmatched=self._strays.counts[surface])
            if counts:
                found[surface] = {state: counts[state] for state in STATES}
        return found

    def _serve(self, fact: Served) -> None:
        if fact.decision_id in self._open:
            return
        slate = _Slate(fact.surface, fact.decided_ms, {shown.item_id: 0 for shown in fact.slate})
        self._open[fact.decision_id] = slate
        entry = (fact.decided_ms, fact.decision_id)
        heappush(self._pending, entry)
        heappush(self._settling, entry)
        self._count(slate, +1)
        for report in self._strays.take(fact.decision_id):
            self._report(report)

    def _report(self, report: Report) -> None:
        slate = self._open.get(report.decision_id)
        before = None if slate is None else slate.items.get(report.item_id)
        if slate is None or before is None or report.at_ms > slate.at_ms + DAY_MS:
            self._strays.add(report)
        elif before | report.bit != before:
            counts = self._counts[slate.surface]
            _add(counts, before, slate.due, -1)
            slate.items[report.item_id] = before | report.bit
            _add(counts, before | report.bit, slate.due, +1)

    def _expire(self, before_ms: int) -> None:
        while self._pending and self._pending[0][0] < before_ms:
            self._turn(self._open[heappop(self._pending)[1]], due=True)

    def _set_back(self, now_ms: int) -> None:
        for entry in self._settling:
            slate = self._open[entry[1]]
            if slate.due and now_ms - slate.at_ms < self._window_ms:
                self._turn(slate, due=False)
                heappush(self._pending, entry)

    def _turn(self, slate: _Slate, *, due: bool) -> None:
        self._count(slate, -1)
        slate.due = due
        self._count(slate, +1)

    def _count(self, slate: _Slate, sign: int) -> None:
        counts = self._counts.setdefault(slate.surface, Counter())
        for bits in slate.items.values():
            _add(counts, bits, slate.due, sign)


def _add(counts: Counter[str], bits: int, due: bool, sign: int) -> None:
    counts["positions"] += sign
    if bits & SEEN:
        counts["seen"] += sign
    elif bits & PREFETCHED:
        counts["prefetched"] += sign
    else:
        counts["unreported" if due else "pending"] += sign
    if bits & ACTED:
        counts["acted"] += sign
        counts["acted_unseen"] += sign * (not bits & SEEN)
