"""A decision that waits for its record, as the ledger sees it; `convert` makes it from a message or a record."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.domain.enums import Purpose
from loopwright.pipeline.answer import Answer


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision.

    Attributes:
        decision_id: 16 bytes.
        subject: 16 bytes.
        request_id: Idempotency key of the caller.
        request_hash: 16 bytes over the request without its id.
        purpose: Only SERVE gets tokens.
        surface: Surface of the slate.
        occurred_at_ms: Mesh time of the decision.
        shown: Item ids of the slate, in slate order.
        answer: The answer that waits, without tokens.
        body: The encoded record, opaque here.
        funnel: The encoded funnel, opaque here; None when only the slate is logged.
    """

    decision_id: bytes
    subject: bytes
    request_id: str
    request_hash: bytes
    purpose: Purpose
    surface: str
    occurred_at_ms: int
    shown: tuple[int, ...]
    answer: Answer
    body: bytes
    funnel: bytes | None
