"""Faults that only exposure raises."""

from __future__ import annotations

from loopwright.faults import DependencyDown


class AnswerPending(DependencyDown):
    """Another call with this request id is deciding, and its record is not durable yet."""

    reason = "ANSWER_PENDING"
    default_retry_after_s = 0.5
