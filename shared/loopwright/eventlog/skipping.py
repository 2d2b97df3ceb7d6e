"""What readers of fact topics beside the projector do with records they cannot use: count them, say so, go on.

The projector alone sets such records aside, once, in DEAD_LETTERS. Readers of state topics stop instead (ADR 0010).
"""

from __future__ import annotations

from collections import Counter

from loopwright.eventlog.dead_letters import INVALID
from loopwright.eventlog.types import Record, Undecodable
from loopwright.telemetry import count, get_logger, names

_log = get_logger(__name__)


class SkipAndCount:
    """Given as `on_undecodable`; `invalid` takes what decodes but cannot be used.

    Attributes:
        counts: Skipped records by reason: UNDECODABLE, UNKNOWN_PAYLOAD or INVALID.
    """

    def __init__(self, reader: str) -> None:
        """Take the reader's name for the logs."""
        self.counts: Counter[str] = Counter()
        self._reader = reader

    def __call__(self, record: Undecodable) -> None:
        """Leave a record out that this build cannot decode."""
        self._skip(record, record.reason, "")

    def invalid(self, record: Record, flaw: str) -> None:
        """Leave a record out that decodes; `flaw` says what is wrong with it, without personal data."""
        self._skip(record, INVALID, flaw)

    def _skip(self, record: Record | Undecodable, reason: str, flaw: str) -> None:
        self.counts[reason] += 1
        count(names.EVENTS_DEAD, topic=record.topic, reason=reason)
        place = f"{record.topic}/{record.partition}@{record.offset}"
        _log.warning("record skipped", extra={"reader": self._reader, "record": place, "reason": reason, "flaw": flaw})
