import pytest

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.api.events.v1.feedback_pb2 import ActionKind, ActionTaken, ItemsViewed, OrganicInteraction
from loopwright.featurespec.covisitation import Engagements
from loopwright.featurespec.folds.covisitation import fold_engagement

USER = b"u" * 16


def event(**payload: object) -> Event:
    made = Event(event_id=b"e" * 16, **payload)  # type: ignore[arg-type]
    made.occurred_at.seconds = 1_000_000
    return made


RATED = OrganicInteraction(subject=USER, item_id=3, kind=ActionKind.ACTION_KIND_RATE, liked=True)
ORGANIC = event(organic_interaction=RATED)
TAKEN = event(action_taken=ActionTaken(subject=USER, item_id=4, kind=ActionKind.ACTION_KIND_CLICK))


def test_actions_of_both_kinds_are_folded_once() -> None:
    engagements = Engagements()
    assert fold_engagement(engagements, ORGANIC) and fold_engagement(engagements, TAKEN)
    assert not fold_engagement(engagements, ORGANIC)
    pairs = engagements.snapshot()
    assert pairs.item_ids.tolist() == [3, 4] and pairs.liked.tolist() == [True, False]


@pytest.mark.parametrize(
    "ignored",
    [
        event(items_viewed=ItemsViewed(subject=USER)),
        event(action_taken=ActionTaken(subject=USER, kind=ActionKind.ACTION_KIND_SESSION_RETURN)),
        event(action_taken=ActionTaken(subject=b"short", item_id=4, kind=ActionKind.ACTION_KIND_CLICK)),
    ],
)
def test_what_is_no_usable_action_on_an_item_changes_nothing(ignored: Event) -> None:
    engagements = Engagements()
    assert not fold_engagement(engagements, ignored)
    assert len(engagements) == 0
