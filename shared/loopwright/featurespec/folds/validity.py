"""What makes a decoded event unusable for the folds; the projector sets such events aside as INVALID."""

from __future__ import annotations

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.ids import EVENT_BYTES, SUBJECT_BYTES
from loopwright.featurespec.folds.actions import ORGANIC_ACTION, SLATE_ACTION

LAST_SECOND = 4_102_444_800  # 2100-01-01, the end of the times that ingest accepts
LARGEST_VALUE = 1e30  # below the range of the float32 that states and facts hold
_GREATEST_KIND = 31
_MOST_CLIENT_ID_BYTES = 200  # with time and tail an action has one byte for its length
_LAST_PUBLISHED_S = 253_402_300_800  # the year 10000, where timestamps end
_OF_SUBJECTS = frozenset(
    {
        "items_viewed",
        SLATE_ACTION,
        ORGANIC_ACTION,
        "profile_updated",
        "creator_followed",
        "creator_unfollowed",
        "creator_blocked",
        "subject_erased",
    }
)


def flaw_of(event: Event) -> str:
    """Return why the folds cannot use this event, "" when they can."""
    payload = event.WhichOneof("payload")
    if len(event.event_id) != EVENT_BYTES:
        return "event_id is not 16 bytes"
    if not 0 <= event.occurred_at.seconds < LAST_SECOND:
        return "occurred_at is outside 1970 to 2100"
    if payload in _OF_SUBJECTS and len(getattr(event, payload).subject) != SUBJECT_BYTES:
        return "subject is not 16 bytes"
    if payload in (ORGANIC_ACTION, SLATE_ACTION):
        said = event.action_taken if payload == SLATE_ACTION else event.organic_interaction
        if not 0 < said.kind <= _GREATEST_KIND:
            return "unknown kind of action"
        if not abs(said.value) <= LARGEST_VALUE:
            return "value is not a number within ±1e30"
        if len(event.client_event_id.encode()) > _MOST_CLIENT_ID_BYTES or "\0" in event.client_event_id:
            return "client_event_id is too long or holds a zero byte"
    if payload == "item_upserted" and abs(event.item_upserted.published_at.seconds) >= _LAST_PUBLISHED_S:
        return "published_at is no time"
    return ""
