from loopwright.api.events.v1.feedback_pb2 import ACTION_KIND_RATE
from loopwright.cli.importing.convert import interactions_request, items_request
from loopwright.cli.importing.rows import ItemRow, RatingRow
from loopwright.cli.importing.selection import Selected

ITEM = ItemRow(2, "i", "T", ("a", "b"), "c", -1.5, "en", "words")


def test_an_item_carries_its_facts_and_when_it_became_known() -> None:
    message = items_request(3, [(ITEM, 12_345)])
    (item,) = message.items
    assert message.batch == 3
    assert (item.item_id, item.title, list(item.tags), item.creator) == ("i", "T", ["a", "b"], "c")
    assert (item.locale, item.text) == ("en", "words")
    assert item.published_at.ToMilliseconds() == -1_500
    assert item.occurred_at.ToMilliseconds() == 12_345


def test_an_item_without_a_time_is_known_from_its_arrival_on() -> None:
    (item,) = items_request(1, [(ItemRow(2, "i", "", (), "", None, "", ""), None)]).items
    assert not item.HasField("occurred_at") and not item.HasField("published_at")


def test_a_rating_is_liked_from_the_given_value_on_and_keeps_its_time_only_under_the_event_clock() -> None:
    rows = [Selected(RatingRow(2, "u", "i", rating, 7_000), "0000000004") for rating in (3.5, 4.0)]
    message = interactions_request(1, rows, like_at=4.0, event_time=True, surface="home")
    assert [(i.value, i.liked, i.kind) for i in message.interactions] == [
        (3.5, False, ACTION_KIND_RATE),
        (4.0, True, ACTION_KIND_RATE),
    ]
    assert {i.occurred_at.ToMilliseconds() for i in message.interactions} == {7_000}
    assert {i.client_event_id for i in message.interactions} == {"0000000004"}
    arriving = interactions_request(1, rows, like_at=4.0, event_time=False, surface="")
    assert not any(i.HasField("occurred_at") for i in arriving.interactions)
