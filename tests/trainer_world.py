"""A small world on a memory log, and a recipe that trains on it within a second, for tests of the trainer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loopwright.api.events.v1.catalog_pb2 import ItemUpserted
from loopwright.api.events.v1.event_pb2 import Event
from loopwright.api.events.v1.feedback_pb2 import ActionTaken, ItemsViewed, OrganicInteraction, ViewedItem
from loopwright.bundle import PolicyBundle, default_bundle
from loopwright.domain.enums import ActionKind
from loopwright.domain.ids import event_id, item_id, item_key, logical_partition
from loopwright.eventlog import MemoryBroker, MemoryEventLog, Record, set_ms
from loopwright.eventlog.topics import CATALOG, ORGANIC
from loopwright.featurespec.signals import SIGNALS
from loopwright.rpc import Deadline
from loopwright.trainer.labels.evidence import Collector, Evidence
from loopwright.trainer.labels.exposures import Spec
from loopwright.trainer.learning.settings import ExampleSettings, RankerSettings, Recipe, TowerSettings

START_MS = 1_700_000_000_000
MINUTE_MS = 60_000
RECIPE = Recipe(
    TowerSettings(dimension=8, hidden=8, content_hidden=4, epochs=2, min_steps=20, batch=32),
    RankerSettings(hidden=(8, 4), members=2, negatives=8, epochs=3, batch=16, pre_hidden=4, pre_epochs=1),
    ExampleSettings(),
)


def subject(user: int) -> bytes:
    return event_id("user", user)


def upsert(item: int, tags: Sequence[str] = ("a",), published_ms: int | None = None) -> Event:
    event = Event(
        event_id=event_id("item", item),
        item_upserted=ItemUpserted(item_id=item_id(str(item)), external_id=str(item), title=f"t{item}", tags=tags),
    )
    set_ms(event.occurred_at, START_MS)
    if published_ms is not None:
        event.item_upserted.published_at.FromMilliseconds(published_ms)
    return event


def organic(user: int, item: int, at_ms: int, liked: bool, kind: ActionKind = ActionKind.RATE, rank: int = 0) -> Event:
    action = OrganicInteraction(
        subject=subject(user), item_id=item_id(str(item)), kind=int(kind), value=5.0 if liked else 2.0, liked=liked
    )
    event = Event(
        event_id=event_id("organic", user, item, int(kind), rank),
        client_event_id=f"{rank:06d}",
        organic_interaction=action,
    )
    set_ms(event.occurred_at, at_ms)
    return event


def clicked(user: int, item: int, at_ms: int) -> Event:
    """Return a click on an item of a slate."""
    action = ActionTaken(
        subject=subject(user), item_id=item_id(str(item)), kind=int(ActionKind.CLICK), decision_id=b"d" * 16
    )
    event = Event(event_id=event_id("clicked", user, item), action_taken=action)
    set_ms(event.occurred_at, at_ms)
    return event


def viewed(user: int, item: int, at_ms: int) -> Event:
    """Return a confirmed view of an item of a slate."""
    seen = [ViewedItem(item_id=item_id(str(item)), seen=True)]
    event = Event(
        event_id=event_id("viewed", user, item),
        items_viewed=ItemsViewed(subject=subject(user), decision_id=b"d" * 16, items=seen),
    )
    set_ms(event.occurred_at, at_ms)
    return event


def rows(users: int, items: int, each: int, seed: int = 0) -> list[Event]:
    """Return interactions of users who like items of their own parity, in time order."""
    generator = np.random.default_rng(seed)
    found: list[tuple[int, Event]] = []
    for user in range(users):
        weight = np.where(np.arange(items) % 2 == user % 2, 4.0, 1.0)
        count = min(each, items)
        for rank, item in enumerate(generator.choice(items, count, replace=False, p=weight / weight.sum()).tolist()):
            at_ms = START_MS + (rank * users + user) * MINUTE_MS
            found.append((at_ms, organic(user, item, at_ms, item % 2 == user % 2, rank=rank)))
    return [event for _, event in sorted(found, key=lambda pair: pair[0])]


def catalogue(items: int, tags: bool = True) -> list[Event]:
    return [upsert(item, (f"tag{item % 2}", f"tag{2 + item % 3}") if tags else ()) for item in range(items)]


def bundle() -> PolicyBundle:
    return default_bundle()


def spec(of: PolicyBundle | None = None) -> Spec:
    features = (of or bundle()).features
    return Spec(tuple(features.user), tuple(features.item), SIGNALS)


def record(topic: str, event: Event, offset: int = 0, partition: int = 0) -> Record:
    payload = getattr(event, event.WhichOneof("payload"))
    key = getattr(payload, "subject", b"") or b"k"
    return Record(topic, partition, offset, logical_partition(key), key, event, event.SerializeToString(), "", 0)


def collected(
    items: Sequence[Event],
    actions: Sequence[Event],
    judging: Sequence[Event] = (),
    views: Sequence[Event] = (),
    clicks: Sequence[Event] = (),
) -> Evidence:
    collector = Collector(spec(), "home")
    for topic, events in (("catalog", items), ("impressions", views), ("actions", clicks)):
        for event in events:
            collector.add(record(topic, event))
    for event in actions:
        collector.add(record("organic", event))
    for event in judging:
        collector.add(record("organic", event), judge=True)
    return collector.evidence()


async def fill(broker: MemoryBroker, items: Sequence[Event], actions: Sequence[Event], chunk: int = 500) -> None:
    log = MemoryEventLog(broker, producer="ingest")
    known = [(item_key(event.item_upserted.item_id), event) for event in items]
    acted = [(event.organic_interaction.subject, event) for event in actions]
    for topic, entries in ((CATALOG, known), (ORGANIC, acted)):
        for start in range(0, len(entries), chunk):
            await log.append_many(topic, entries[start : start + chunk], deadline=Deadline.after(10))
