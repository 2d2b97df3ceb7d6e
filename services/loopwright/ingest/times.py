"""Which times a fact may have: not in the future, not before what the folds' dedup window can still recognise."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.eventlog.dedup import DAY_MS
from loopwright.ingest.rows import Refusal

DEDUP_WINDOW_MS = DAY_MS

FUTURE = Refusal("occurred_at", "FUTURE", "must not be later than mesh time now")
TOO_LATE = Refusal(
    "occurred_at",
    "TOO_LATE",
    "must not be older than the newest fact of its topic less the dedup window of 24 h",
)


@dataclass(frozen=True, slots=True)
class Span:
    """The times that a batch may have, in milliseconds of mesh time.

    Attributes:
        now_ms: Mesh time; what a row without a time gets.
        earliest_ms: Older is TOO_LATE; None: nothing is.
        latest_ms: Later is FUTURE.
    """

    now_ms: int
    earliest_ms: int | None
    latest_ms: int

    @classmethod
    def of(cls, now_ms: int, settled_ms: int | None, slack_ms: int) -> Span:
        """Return the span at a mesh time, given the newest settled fact of the topic."""
        return cls(now_ms, None if settled_ms is None else settled_ms - DEDUP_WINDOW_MS, now_ms + slack_ms)

    def refusal(self, occurred_ms: int) -> Refusal | None:
        """Return why a fact of this time is refused, None when it is not."""
        if occurred_ms > self.latest_ms:
            return FUTURE
        if self.earliest_ms is not None and occurred_ms < self.earliest_ms:
            return TOO_LATE
        return None
