"""Stage 1 for items: what one event says about items, in a fixed order; the projector and the trainer call it."""

from __future__ import annotations

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.vectors import LIKED_FLAG
from loopwright.featurespec.facts import SLATE_FLAG, VIEWED, Fact
from loopwright.featurespec.folds.said import Said, said_of


def facts_of(event: Event, said: Said | None = None) -> list[Fact]:
    """Return the facts an event holds about items; [] for events that say nothing about items.

    Args:
        event: The event.
        said: What it says, where it was read already.
    """
    payload, _, at_ms, action = said or said_of(event)
    if action is not None:
        if not action.item_id:
            return []
        kind = action.kind | (LIKED_FLAG if action.liked else 0) | (SLATE_FLAG if action.slate else 0)
        return [Fact(action.item_id, kind, action.value, at_ms)]
    if payload == "items_viewed":
        return [Fact(item.item_id, VIEWED | SLATE_FLAG, 1.0, at_ms) for item in event.items_viewed.items if item.seen]
    return []
