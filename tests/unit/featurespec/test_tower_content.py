import numpy as np

from loopwright.api.events.v1.catalog_pb2 import InventoryChanged, ItemUpserted
from loopwright.api.events.v1.event_pb2 import Event
from loopwright.featurespec.folds.catalog import fold_catalog
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.tower_content import TOWER_CONTENT, rows_with_facts, tower_content


def table_of(*events: Event) -> ItemTable:
    table = ItemTable()
    for number, event in enumerate(events):
        event.event_id = number.to_bytes(16, "big")
        event.occurred_at.seconds = 1_000_000 + number
        fold_catalog(table, event)
    return table


def upsert(item: int, seconds: int | None, *tags: str) -> Event:
    event = Event(item_upserted=ItemUpserted(item_id=item, external_id=str(item), tags=tags))
    if seconds is not None:
        event.item_upserted.published_at.seconds = seconds
    return event


def test_the_columns_are_the_content_vector_and_the_publication() -> None:
    table = table_of(upsert(1, 946_684_800, "drama"), upsert(2, None, "drama", "war"))
    columns = tower_content(table, np.arange(2))
    assert columns.shape == (2, len(TOWER_CONTENT)) and columns.dtype == np.float32
    np.testing.assert_array_equal(columns[:, :16], table.content32)
    assert abs(columns[0, 16]) < 0.01 and columns[0, 17] == 1
    assert columns[1, 16:].tolist() == [0, 0]


def test_publication_before_1970_and_far_away_stays_in_range() -> None:
    columns = tower_content(table_of(upsert(1, -1_500_000_000), upsert(2, 250_000_000_000)), np.arange(2))
    assert -8 < columns[0, 16] < -7 and columns[1, 16] == 10


def test_an_item_of_which_the_catalogue_stated_only_stock_is_not_indexed() -> None:
    table = table_of(upsert(1, None), Event(inventory_changed=InventoryChanged(item_id=2, available=1)))
    assert len(table) == 2
    assert rows_with_facts(table).tolist() == [0]
