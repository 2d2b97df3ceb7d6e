"""Stage 1 for items: what one event says about items, in a fixed order; the projector and the trainer call it."""

from __future__ import annotations

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.vectors import LIKED_FLAG
from loopwright.featurespec.facts import SLATE_FLAG, VIEWED, Fact
from loopwright.featurespec.folds.actions import ORGANIC_ACTION, SLATE_ACTION, action_of
from loopwright.featurespec.folds.times import time_ms


def facts_of(event: Event) -> list[Fact]:
    """Return the facts an event holds about items; [] for events that say nothing about items."""
    payload = event.WhichOneof("payload")
    if payload in (ORGANIC_ACTION, SLATE_ACTION):
        action = action_of(event, payload)
        if not action.item_id:
            return []
        kind = action.kind | (LIKED_FLAG if action.liked else 0) | (SLATE_FLAG if action.slate else 0)
        return [Fact(action.item_id, kind, action.value, time_ms(event))]
    if payload == "items_viewed":
        at = time_ms(event)
        return [Fact(item.item_id, VIEWED | SLATE_FLAG, 1.0, at) for item in event.items_viewed.items if item.seen]
    return []
