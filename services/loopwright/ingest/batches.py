"""Numbers of the batches of one stream: they rise, so that an answer names exactly one batch."""

from __future__ import annotations

from loopwright.faults import FieldViolation, InvalidRequest


class BatchNumbers:
    """One per stream."""

    def __init__(self) -> None:
        self._last = 0

    def take(self, number: int) -> int:
        """Return the number of the next batch.

        Raises:
            InvalidRequest: It is not above the last one.
        """
        if number <= self._last:
            raise InvalidRequest(violations=[FieldViolation("batch", "rising", "must be above that of the last batch")])
        self._last = number
        return number
