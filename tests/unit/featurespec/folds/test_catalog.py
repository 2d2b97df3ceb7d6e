from hypothesis import given, settings
from hypothesis import strategies as st
from tests.replay.synthetic import entries

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.enums import Eligibility
from loopwright.featurespec.folds.catalog import apply, fold_catalog, item_of
from loopwright.featurespec.item_content import UNKNOWN, decode, encode
from loopwright.featurespec.table import ItemTable

EVENTS = [event for topic, _, event in entries(3000, items=1, seed=4) if topic.name == "catalog"]


def upserted(seconds: int, title: str) -> Event:
    event = Event(event_id=bytes([seconds]) * 16)
    event.occurred_at.seconds = seconds
    event.item_upserted.item_id, event.item_upserted.title = 1, title
    return event


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_of_events_gives_the_same_bytes(rng) -> None:  # type: ignore[no-untyped-def]
    expected = UNKNOWN
    for event in EVENTS:
        expected = apply(expected, event)
    mixed = [*EVENTS, *rng.sample(EVENTS, 20)]
    rng.shuffle(mixed)
    found = UNKNOWN
    for event in mixed:
        found = apply(decode(encode(found)), event)
    assert len(EVENTS) > 100
    assert encode(found) == encode(expected)


def test_the_newest_upsert_holds_and_the_first_time_stays() -> None:
    content = apply(apply(UNKNOWN, upserted(9, "new")), upserted(3, "old"))
    assert content.facts.title == "new"
    assert content.first_upsert_ms == 3000


def test_an_item_upserted_after_its_withdrawal_is_back() -> None:
    gone = Event(event_id=bytes([5]) * 16)
    gone.occurred_at.seconds = 5
    gone.item_withdrawn.item_id = 1
    content = apply(apply(UNKNOWN, upserted(3, "")), gone)
    assert content.eligibility == Eligibility.WITHDRAWN
    assert apply(content, upserted(9, "")).eligibility == 0


def test_stock_and_safety_bar_an_item() -> None:
    sold, unsafe = Event(event_id=bytes(16)), Event(event_id=bytes(16))
    sold.inventory_changed.item_id = unsafe.safety_labelled.item_id = 1
    sold.inventory_changed.available = 0
    content = apply(apply(apply(UNKNOWN, upserted(3, "")), sold), unsafe)
    assert content.eligibility == Eligibility.OUT_OF_STOCK | Eligibility.UNSAFE


def test_a_table_row_follows_its_catalogue_events() -> None:
    table = ItemTable()
    assert fold_catalog(table, Event()) is None
    row = fold_catalog(table, upserted(3, "a title"))
    assert row == 0
    assert table.titles(table.rows_of(table.ids)) == ("a title",)
    assert item_of(upserted(3, "")) == 1
