"""One reading of the two action events: what both the user's states and the item facts are made of."""

from __future__ import annotations

from typing import NamedTuple

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.featurespec.facts import SATISFYING

SLATE_ACTION, ORGANIC_ACTION = "action_taken", "organic_interaction"


class Action(NamedTuple):
    """An action; `item_id` is 0 for those on no item, `slate` says that a slate of ours showed the item."""

    subject: bytes
    item_id: int
    kind: int
    value: float
    liked: bool
    slate: bool


def action_of(event: Event, payload: str) -> Action:
    """Return the action of an event whose payload is one of the two action events."""
    if payload == SLATE_ACTION:
        said, slate = event.action_taken, True
    else:
        said, slate = event.organic_interaction, False  # type: ignore[assignment]
    kind = int(said.kind)
    return Action(said.subject, said.item_id, kind, said.value, said.liked or kind in SATISFYING, slate)
