"""Events as exposure and ingest write them, on a log in memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from loopwright.api.common.v1.decision_pb2 import Degradation
from loopwright.api.events.v1.catalog_pb2 import ItemUpserted, ItemWithdrawn
from loopwright.api.events.v1.decision_pb2 import (
    Candidates,
    RequestRecord,
    SlateDecided,
    SlatePosition,
    SourceRecord,
)
from loopwright.api.events.v1.feedback_pb2 import ActionTaken, ItemsViewed, ViewedItem
from loopwright.domain.enums import ActionKind, DegradationReason, Purpose, Scheme, Source, Stage
from loopwright.domain.ids import event_id
from loopwright.eventlog import ACTIONS, CATALOG, DECISIONS, IMPRESSIONS, Event, MemoryBroker, make_event, set_ms
from loopwright.lifecycle import FixedClock
from loopwright.pipeline.convert.tensors import to_tensor

NOW_MS = 1_700_000_000_000
PLANNED = (Source.TWO_TOWER, Source.TRENDING, Source.FRESH)


def decided(
    name: str,
    items: dict[int, tuple[Source, ...]],
    *,
    at_ms: int = NOW_MS,
    purpose: Purpose = Purpose.SERVE,
    scheme: Scheme = Scheme.RANKED,
    degraded: bool = False,
    creator_ids: tuple[int, ...] | None = None,
    surface: str = "home",
) -> Event:
    ranks = np.array([[int(source in found) for source in PLANNED] for found in items.values()], dtype=np.uint16)
    creators = np.array(creator_ids or [0] * len(items), dtype=np.uint64)
    numbers: Any = SimpleNamespace(purpose=int(purpose), scheme=int(scheme))
    body = SlateDecided(
        decision_id=key(name),
        request=RequestRecord(purpose=numbers.purpose, subject=key("u")),
        sources=[SourceRecord(source=int(source)) for source in PLANNED],  # type: ignore[arg-type]
        slate=[
            SlatePosition(item_id=item, position=place, scheme=numbers.scheme) for place, item in enumerate(items, 1)
        ],
    )
    if items:
        body.slate_candidates.CopyFrom(Candidates(source_ranks=to_tensor(ranks), creator_ids=to_tensor(creators)))
    if degraded:
        wire: Any = (int(Stage.RETRIEVE), int(DegradationReason.SOURCE_FAILED))
        body.degradations.append(Degradation(stage=wire[0], reason=wire[1]))
    return fact(event_id("decided", name), at_ms, surface, slate_decided=body)


def viewed(name: str, items: dict[int, bool], *, at_ms: int = NOW_MS, client_id: str = "v") -> Event:
    body = ItemsViewed(
        decision_id=key(name), subject=key("u"), items=[ViewedItem(item_id=i, seen=seen) for i, seen in items.items()]
    )
    return fact(event_id("viewed", name, client_id), at_ms, "home", items_viewed=body)


def acted(name: str, item: int, *, at_ms: int = NOW_MS, client_id: str = "a") -> Event:
    numbers: Any = SimpleNamespace(kind=int(ActionKind.CLICK))
    body = ActionTaken(decision_id=key(name), subject=key("u"), item_id=item, kind=numbers.kind)
    return fact(event_id("acted", name, item, client_id), at_ms, "home", action_taken=body)


def listed(item: int, *, at_ms: int = 0, creator: str = "", published_ms: int | None = None) -> Event:
    body = ItemUpserted(item_id=item, external_id=str(item), creator=creator)
    if published_ms is not None:
        set_ms(body.published_at, published_ms)
    return fact(event_id("listed", item, at_ms, creator), at_ms, "", item_upserted=body)


def unlisted(item: int, *, at_ms: int = 0) -> Event:
    return fact(event_id("unlisted", item, at_ms), at_ms, "", item_withdrawn=ItemWithdrawn(item_id=item))


def fact(identity: bytes, at_ms: int, surface: str, **payload: Any) -> Event:
    return make_event(identity, at_ms, FixedClock(at_ms), "test", surface=surface, **payload)


def key(name: str) -> bytes:
    return name.encode().ljust(16, b".")


TOPICS = {
    "slate_decided": DECISIONS,
    "items_viewed": IMPRESSIONS,
    "action_taken": ACTIONS,
    "item_upserted": CATALOG,
    "item_withdrawn": CATALOG,
}


def put(broker: MemoryBroker, *events: Event) -> None:
    for event in events:
        broker.inject(TOPICS[event.WhichOneof("payload") or ""], key("u"), event.SerializeToString())


@pytest.fixture
def make() -> SimpleNamespace:
    """Makers of events, for tests that cannot import this file."""
    return SimpleNamespace(
        decided=decided,
        viewed=viewed,
        acted=acted,
        listed=listed,
        unlisted=unlisted,
        put=put,
        key=key,
        TOPICS=TOPICS,
        NOW_MS=NOW_MS,
    )
