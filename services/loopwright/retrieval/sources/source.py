"""What a candidate source is: a named, pure function of the evidence of one request."""

from __future__ import annotations

from abc import ABC, abstractmethod

from loopwright.domain.enums import Source
from loopwright.retrieval.query import Evidence, Proposal


class CandidateSource(ABC):
    """Proposes candidates; computes only and never waits, keeps no state, and never proposes a barred item.

    Attributes:
        source: Its member of the registry: its name and number in plans, reports and records.
    """

    source: Source

    @abstractmethod
    def propose(self, evidence: Evidence, quota: int) -> Proposal:
        """Return up to `quota` items, best first, ties by item id; barred items are refilled past.

        Raises:
            Fault: It cannot answer; the request goes on without it, and its report says so.
        """
