"""Events in, engagements raised: what the co-visitation graph is folded from."""

from __future__ import annotations

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.featurespec.covisitation import Engagements
from loopwright.featurespec.folds.actions import ORGANIC_ACTION, SLATE_ACTION, action_of
from loopwright.featurespec.folds.validity import flaw_of


def fold_engagement(engagements: Engagements, event: Event) -> bool:
    """Fold one event in; True when the graph may have changed.

    Actions on slates and organic interactions count; what the projector would set aside, and every other payload,
    changes nothing.
    """
    payload = event.WhichOneof("payload")
    if payload not in (ORGANIC_ACTION, SLATE_ACTION) or flaw_of(event):
        return False
    action = action_of(event, payload)
    if not action.item_id:
        return False
    return engagements.add(action.subject, action.item_id, action.kind, action.liked)
