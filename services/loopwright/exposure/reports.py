"""Feedback as domain values: `convert` makes them from messages, `feedback` judges them, `convert` makes events."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.domain.enums import ActionKind
from loopwright.exposure.tokens import Claims


@dataclass(frozen=True, slots=True)
class View:
    """One item that came into view, for `view_ms` milliseconds (0: unknown)."""

    token: str
    view_ms: int
    seen: bool


@dataclass(frozen=True, slots=True)
class Act:
    """One thing a user did; `occurred_at_ms` None means now."""

    token: str
    client_event_id: str
    kind: ActionKind
    value: float
    occurred_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Whether the fact was known already, and whether its token had expired."""

    duplicate: bool
    late: bool


@dataclass(frozen=True, slots=True)
class Viewed:
    """One confirmed item of a report, ready for the log."""

    claims: Claims
    view_ms: int
    seen: bool
