"""What a candidate source is: a named, pure function of the evidence of one request."""

from __future__ import annotations

from typing import Protocol

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal


class CandidateSource(Protocol):
    """Proposes candidates; runs on a worker thread, keeps no state, and never proposes a barred item."""

    @property
    def source(self) -> Source:
        """Its name in plans, reports and records."""
        ...

    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return up to `quota` items, best first, ties by item id; barred items are refilled past.

        Raises:
            Fault: It cannot answer; the request goes on without it, and its report says so.
        """
        ...
