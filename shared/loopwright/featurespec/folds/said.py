"""One reading of an event for all folds of it: who, when, and which action; stage 1 folds what it returns."""

from __future__ import annotations

from typing import NamedTuple

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.featurespec.folds.actions import ORGANIC_ACTION, SLATE_ACTION, Action, action_of
from loopwright.featurespec.folds.times import time_ms

_ACTIONS = (ORGANIC_ACTION, SLATE_ACTION)
PAYLOADS = frozenset(
    {
        *_ACTIONS,
        "items_viewed",
        "profile_updated",
        "creator_followed",
        "creator_unfollowed",
        "creator_blocked",
        "subject_erased",
    }
)
"""Payloads that fold into a user's row."""


class Said(NamedTuple):
    """What an event says; a field of a message costs as much to read as ten of a tuple.

    Attributes:
        payload: Name of the payload; "" when this build does not know it.
        subject: Whose row it folds into, b"" when into none.
        at_ms: Milliseconds of mesh time.
        action: The action of an action event, None for other events.
    """

    payload: str
    subject: bytes
    at_ms: int
    action: Action | None


def said_of(event: Event) -> Said:
    """Return what an event says."""
    payload = event.WhichOneof("payload") or ""
    if payload in _ACTIONS:
        action = action_of(event, payload)
        return Said(payload, action.subject, time_ms(event), action)
    subject = bytes(getattr(event, payload).subject) if payload in PAYLOADS else b""
    return Said(payload, subject, time_ms(event), None)
