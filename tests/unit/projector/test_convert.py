import numpy as np
import pytest
from tests.unit.projector.logs import CLOCK

from loopwright.domain.ids import item_key, logical_partition
from loopwright.faults import PoisonEvent
from loopwright.featurespec.facts import Fact, FactBatch
from loopwright.projector import convert
from loopwright.projector.convert import facts_from_event, facts_to_events, row_to_event, sourced

FACTS = [Fact(item, 17, 3.5, 1_000 * item) for item in (5, 9, 5)]
PLACES = [(3, 10, 0), (3, 11, 0), (60, 4, 2)]


def test_facts_come_back_as_they_went() -> None:
    there = sourced("organic", 7, PLACES, FactBatch.of(FACTS))
    [(key, event)] = facts_to_events(there, CLOCK, "projector")
    assert logical_partition(key) == logical_partition(item_key(5))
    back = facts_from_event(event)
    assert (back.topic, back.item_partition) == ("organic", 7)
    for name in ("partitions", "offsets", "indices"):
        np.testing.assert_array_equal(getattr(back, name), getattr(there, name))
    for name in ("item_ids", "kinds", "values", "times_ms"):
        np.testing.assert_array_equal(getattr(back.facts, name), getattr(there.facts, name))


def test_many_facts_are_cut_into_events_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "MOST_FACTS", 2)
    events = [event for _, event in facts_to_events(sourced("organic", 7, PLACES, FactBatch.of(FACTS)), CLOCK, "p")]
    found = np.concatenate([facts_from_event(event).facts.item_ids for event in events])
    assert found.tolist() == [5, 9, 5]
    assert len({event.event_id for event in events}) == 2


def test_columns_of_unequal_length_are_poison() -> None:
    [(_, event)] = facts_to_events(sourced("organic", 7, PLACES, FactBatch.of(FACTS)), CLOCK, "p")
    event.item_facts_derived.kinds.shape[0] = 2
    with pytest.raises(PoisonEvent):
        facts_from_event(event)


def test_the_key_of_a_row_names_item_and_group() -> None:
    key, event = row_to_event(5, "item_counts.v1", b"state", 9, CLOCK, "projector")
    assert key == item_key(5) + b"item_counts.v1"
    assert event.item_row_folded.state == b"state"
