import math

import pytest

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.featurespec.folds.validity import flaw_of


def rating() -> Event:
    event = Event(event_id=bytes(16))
    event.occurred_at.seconds = 10
    said = event.organic_interaction
    said.subject, said.item_id, said.kind, said.value = bytes(16), 1, 17, 4.0
    return event


def test_a_usual_event_has_no_flaw() -> None:
    assert flaw_of(rating()) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39])
def test_a_value_that_states_cannot_hold_is_a_flaw(value: float) -> None:
    event = rating()
    event.organic_interaction.value = value
    assert "value" in flaw_of(event)


def test_wrong_ids_times_and_kinds_are_flaws() -> None:
    for change in (
        lambda e: setattr(e, "event_id", b"short"),
        lambda e: setattr(e.organic_interaction, "subject", b"short"),
        lambda e: setattr(e.organic_interaction, "kind", 0),
        lambda e: setattr(e.organic_interaction, "kind", 40),
        lambda e: setattr(e.occurred_at, "seconds", -1),
        lambda e: setattr(e.occurred_at, "seconds", 1 << 40),
        lambda e: setattr(e, "client_event_id", "a\0b"),
        lambda e: setattr(e, "client_event_id", "a" * 201),
        lambda e: setattr(e, "client_event_id", "é" * 101),
    ):
        event = rating()
        change(event)
        assert flaw_of(event), event


@pytest.mark.parametrize(("seconds", "sound"), [(-30_000_000_000, True), (4_000_000_000, True), (1 << 60, False)])
def test_a_publication_outside_the_calendar_is_a_flaw(seconds: int, sound: bool) -> None:
    event = Event(event_id=bytes(16))
    event.occurred_at.seconds = 10
    event.item_upserted.item_id = 1
    event.item_upserted.published_at.seconds = seconds
    assert (flaw_of(event) == "") is sound
