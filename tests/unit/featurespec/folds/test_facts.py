from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.enums import ActionKind
from loopwright.domain.vectors import LIKED_FLAG
from loopwright.featurespec.facts import SLATE_FLAG, VIEWED, Fact
from loopwright.featurespec.folds.facts import facts_of


def at(event: Event, seconds: int) -> Event:
    event.occurred_at.seconds = seconds
    return event


def test_a_liked_organic_rating_is_one_fact_with_the_flag() -> None:
    event = at(Event(), 5)
    said = event.organic_interaction
    said.item_id, said.kind, said.value, said.liked = 9, ActionKind.RATE, 4.0, True
    assert facts_of(event) == [Fact(9, ActionKind.RATE | LIKED_FLAG, 4.0, 5000)]


def test_an_action_on_a_slate_says_so() -> None:
    event = at(Event(), 5)
    event.action_taken.item_id, event.action_taken.kind, event.action_taken.value = 9, ActionKind.CLICK, 1.0
    assert facts_of(event) == [Fact(9, ActionKind.CLICK | SLATE_FLAG, 1.0, 5000)]


def test_only_views_that_were_seen_count_in_their_order() -> None:
    event = at(Event(), 1)
    for item, seen in ((3, True), (4, False), (1, True)):
        event.items_viewed.items.add(item_id=item, seen=seen)
    assert facts_of(event) == [Fact(3, VIEWED | SLATE_FLAG, 1.0, 1000), Fact(1, VIEWED | SLATE_FLAG, 1.0, 1000)]


def test_a_session_return_and_a_profile_say_nothing_about_items() -> None:
    event = at(Event(), 1)
    event.organic_interaction.kind = ActionKind.SESSION_RETURN
    assert facts_of(event) == []
    profile = Event()
    profile.profile_updated.locale = "en"
    assert facts_of(profile) == []
