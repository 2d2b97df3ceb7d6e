"""Impression accounting: of every position that was decided, what the client said; a pure fold, order-free."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from loopwright.monitor.facts import Acted, Served, Viewed

SHOWN, PREFETCHED, SEEN, ACTED = 1, 2, 4, 8
STATES = ("positions", "seen", "prefetched", "pending", "unreported", "acted", "acted_unseen", "unmatched")
"""`positions` = seen + prefetched + pending + unreported; `acted_unseen` of `acted` were never reported as seen;
`unmatched` are reports and actions on items that no SERVE decision on record placed."""


@dataclass(slots=True)
class _Slate:
    """Bits per item; they are only ever added, so neither order nor repetition matters."""

    surface: str
    at_ms: int
    items: dict[int, int] = field(default_factory=dict)


class Accounting:
    """Keeps slates open for a day of mesh time, then adds them up for good.

    A report on a slate that was added up counts as unmatched: it came later than the log's own dedup window.
    """

    def __init__(self) -> None:
        self._open: dict[bytes, _Slate] = {}
        self._settled: dict[str, Counter[str]] = {}

    def apply(self, fact: Served | Viewed | Acted) -> None:
        """Fold one fact."""
        if isinstance(fact, Served):
            slate = self._slate(fact.decision_id, fact.surface, fact.decided_ms)
            slate.at_ms = fact.decided_ms
            marks = [(shown.item_id, SHOWN) for shown in fact.slate]
        elif isinstance(fact, Viewed):
            slate = self._slate(fact.decision_id, fact.surface, fact.viewed_ms)
            marks = [(item, SEEN if seen else PREFETCHED) for item, seen in fact.items]
        else:
            slate = self._slate(fact.decision_id, fact.surface, fact.acted_ms)
            marks = [(fact.item_id, ACTED)]
        for item, bit in marks:
            slate.items[item] = slate.items.get(item, 0) | bit

    def settle(self, before_ms: int) -> None:
        """Add up the slates of before `before_ms`; only when all topics are read to their end."""
        due = [identity for identity, slate in self._open.items() if slate.at_ms < before_ms]
        for identity in due:
            slate = self._open.pop(identity)
            _add(self._settled.setdefault(slate.surface, Counter()), slate, pending=False)

    def totals(self, now_ms: int, report_window_ms: int) -> dict[str, dict[str, int]]:
        """Return surface -> state -> items, every state of `STATES`.

        Args:
            now_ms: Mesh time.
            report_window_ms: Positions without a report are pending for this long, then unreported.
        """
        found = {surface: Counter(counts) for surface, counts in self._settled.items()}
        for slate in self._open.values():
            pending = now_ms - slate.at_ms < report_window_ms
            _add(found.setdefault(slate.surface, Counter()), slate, pending=pending)
        return {surface: {state: counts[state] for state in STATES} for surface, counts in found.items()}

    def _slate(self, decision_id: bytes, surface: str, at_ms: int) -> _Slate:
        return self._open.setdefault(decision_id, _Slate(surface, at_ms))


def _add(counts: Counter[str], slate: _Slate, *, pending: bool) -> None:
    for bits in slate.items.values():
        if not bits & SHOWN:
            counts["unmatched"] += 1
            continue
        counts["positions"] += 1
        if bits & SEEN:
            counts["seen"] += 1
        elif bits & PREFETCHED:
            counts["prefetched"] += 1
        else:
            counts["pending" if pending else "unreported"] += 1
        if bits & ACTED:
            counts["acted"] += 1
            counts["acted_unseen"] += not bits & SEEN
