"""A decision that waits for its record, as the ledger sees it; `convert` makes it from a message or a record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from loopwright.domain.enums import Purpose
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.types import Degradation


class WaitingAnswer(Protocol):
    """The answer that waits for its record, encoded or not; the ledger writes into it without taking it apart."""

    @property
    def decision_id(self) -> bytes:
        """The decision that it tells, 16 bytes."""
        ...

    @property
    def positions(self) -> Sequence[int]:
        """Absolute position of each item, in slate order."""
        ...

    def sign(self, tokens: Iterable[str]) -> None:
        """Give each item its token, in slate order."""
        ...

    def note(self, notes: Iterable[Degradation]) -> None:
        """Add to its degradations."""
        ...

    def packed(self, request_hash: bytes) -> bytes | None:
        """Return the form in which it is stored for repeats of the request; None when that would be too long."""
        ...

    def answer(self) -> Answer:
        """Return it as a value."""
        ...


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
        answer: The answer that waits, without tokens; the decision's own.
        versions: The encoded versions in force, opaque here.
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
    answer: WaitingAnswer
    versions: bytes
    body: bytes
    funnel: bytes | None
