from pathlib import Path

import numpy as np
import pytest
from tests.tiny_models import put_two_tower

from loopwright.api.events.v1.catalog_pb2 import ItemUpserted, ItemWithdrawn
from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.enums import ActionKind, Source
from loopwright.domain.vectors import LIKED_FLAG, History
from loopwright.featurespec.covisitation import Engagements, Graph, build_graph, empty_graph
from loopwright.featurespec.facts import Fact, FactBatch
from loopwright.featurespec.folds.catalog import fold_catalog
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.tower_content import rows_with_facts, tower_content
from loopwright.modelstore import ModelStore
from loopwright.modelstore.models import TwoTower, open_two_tower
from loopwright.pipeline.types import RetrievalQuery, SourcePlan
from loopwright.retrieval.index.tower_index import IndexView, TowerIndex
from loopwright.retrieval.items import take_snapshot
from loopwright.retrieval.query import Evidence

NOW_MS = 1_700_000_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BUILT_IN = (Source.TWO_TOWER, Source.CO_VISITATION, Source.TRENDING, Source.FRESH, Source.POPULARITY)
ALL_SOURCES = tuple(SourcePlan(source, 20, 1.0, 1000) for source in BUILT_IN)


def upsert(
    table: ItemTable,
    item: int,
    *,
    published_ms: int | None = None,
    stated_ms: int = NOW_MS - 100 * DAY_MS,
    tag: str = "t",
    creator: str = "",
) -> None:
    said = ItemUpserted(item_id=item, external_id=str(item), tags=[tag], creator=creator)
    event = Event(event_id=bytes(16), item_upserted=said)
    event.occurred_at.FromMilliseconds(stated_ms)
    if published_ms is not None:
        event.item_upserted.published_at.FromMilliseconds(published_ms)
    fold_catalog(table, event)


def withdraw(table: ItemTable, item: int) -> None:
    event = Event(event_id=b"w" * 16, item_withdrawn=ItemWithdrawn(item_id=item))
    event.occurred_at.FromMilliseconds(NOW_MS - DAY_MS)
    fold_catalog(table, event)


def interact(table: ItemTable, item: int, times: int = 1, at_ms: int = NOW_MS - HOUR_MS, liked: bool = False) -> None:
    kind = ActionKind.CLICK | (LIKED_FLAG if liked else 0)
    table.fold_facts(FactBatch.of([Fact(item, kind, 1.0, at_ms)] * times))


def history_of(*items: int) -> History:
    n = len(items)
    kinds = np.full(n, ActionKind.RATE | LIKED_FLAG, np.uint8)
    return History(np.array(items, np.uint64), kinds, np.ones(n, np.float32), np.arange(n, dtype=np.uint32))


def query(**changes: object) -> RetrievalQuery:
    values: dict[str, object] = {
        "policy_version": "p",
        "two_tower_version": "",
        "now_ms": NOW_MS,
        "history": history_of(),
        "avoid": np.zeros(0, np.uint64),
        "anchors": np.zeros(0, np.uint64),
        "sources": ALL_SOURCES,
        "max_candidates": 500,
        "fresh_days": 30.0,
    }
    return RetrievalQuery(**{**values, **changes})  # type: ignore[arg-type]


def evidence(
    table: ItemTable, *, graph: Graph | None = None, index: TowerIndex | None = None, **changes: object
) -> Evidence:
    asked = query(**changes)
    view: IndexView | None = index.view if index else None
    tower = index.tower if index else None
    return Evidence(asked, take_snapshot(table, asked.now_ms), graph or empty_graph(), tower, view)


def indexed(tower: TwoTower, table: ItemTable) -> TowerIndex:
    index = TowerIndex(tower)
    rows = rows_with_facts(table)
    index.put(table.ids[rows], tower_content(table, rows))
    return index


def liked_graph(*users: tuple[int, ...]) -> Graph:
    engagements = Engagements()
    for number, items in enumerate(users):
        for item in items:
            engagements.add(bytes([number]) * 16, item, ActionKind.LIKE, True)
    return build_graph(engagements.snapshot())


@pytest.fixture
def table() -> ItemTable:
    """Items 1 to 100, each with as many interactions as its number says, all a day old."""
    made = ItemTable()
    for item in range(100, 0, -1):
        upsert(made, item, tag=f"tag{item % 7}")
        interact(made, item, times=item, at_ms=NOW_MS - DAY_MS)
    return made


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path)


@pytest.fixture
def tower(store: ModelStore) -> TwoTower:
    ids = np.arange(1, 101, dtype=np.uint64)
    return open_two_tower(store, put_two_tower(store, ids).model_version)
