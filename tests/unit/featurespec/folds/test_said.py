from loopwright.api.events.v1.event_pb2 import Event
from loopwright.api.events.v1.feedback_pb2 import ItemsViewed, OrganicInteraction
from loopwright.featurespec.folds.facts import facts_of
from loopwright.featurespec.folds.said import said_of
from loopwright.featurespec.folds.users import subject_of

WHO = bytes(range(16))


def test_an_action_is_read_with_who_did_it_and_when() -> None:
    event = Event(organic_interaction=OrganicInteraction(subject=WHO, item_id=7, kind=17, value=4.0, liked=True))
    event.occurred_at.FromMilliseconds(1_234)
    said = said_of(event)
    assert (said.payload, said.subject, said.at_ms) == ("organic_interaction", WHO, 1_234)
    assert said.action is not None
    assert (said.action.item_id, said.action.kind, said.action.liked, said.action.slate) == (7, 17, True, False)
    assert facts_of(event, said) == facts_of(event) != []


def test_other_events_of_a_user_have_no_action() -> None:
    event = Event(items_viewed=ItemsViewed(subject=WHO))
    said = said_of(event)
    assert (said.payload, said.subject, said.action) == ("items_viewed", WHO, None)
    assert said.subject == subject_of(event)


def test_an_event_of_nobody_and_an_unknown_one_have_no_subject() -> None:
    event = Event()
    assert (said_of(event).payload, said_of(event).subject) == ("", b"")
    event.item_upserted.item_id = 3
    assert said_of(event).subject == b""
    assert facts_of(event) == []
