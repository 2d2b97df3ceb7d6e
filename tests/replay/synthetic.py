"""A seeded little world as a log: `python -m tests.replay.synthetic` writes the recorded log of the replay tests.

Items with and without tags, creators, locales and publication times; users who rate, click, hide, follow, view, move
and ask to be forgotten; slate actions, withdrawn and sold-out items; ties in time. Nothing depends on the clock.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import zstandard

from loopwright.api.events.v1.catalog_pb2 import InventoryChanged, ItemUpserted, ItemWithdrawn, SafetyLabelled
from loopwright.api.events.v1.event_pb2 import Event
from loopwright.api.events.v1.feedback_pb2 import ActionTaken, ItemsViewed, OrganicInteraction, ViewedItem
from loopwright.api.events.v1.profile_pb2 import CreatorBlocked, CreatorFollowed, CreatorUnfollowed, ProfileUpdated
from loopwright.domain.ids import event_id, item_id, item_key, logical_partition, name_id, subject_of
from loopwright.eventlog import ACTIONS, CATALOG, IMPRESSIONS, ORGANIC, PROFILES, Topic, set_ms

START_MS = 1_700_000_000_000
DAY_MS = 86_400_000
PARTITIONS = 4
RECORDED = Path(__file__).with_name("events_v1.zst")
TAGS = ("drama", "comedy", "action", "horror", "war", "children", "noir", "musical")
LOCALES = ("", "en", "en-GB", "de-DE", "fr")
KINDS = (1, 2, 3, 4, 5, 6, 7, 9, 10, 14, 17, 17, 17, 17, 17, 17)

Entry = tuple[Topic, bytes, Event]


def _event(number: int, at_ms: int, **payload: object) -> Event:
    event = Event(event_id=event_id("synthetic", number), client_event_id=f"{number:08d}", producer="test", **payload)
    set_ms(event.occurred_at, at_ms)
    set_ms(event.recorded_at, at_ms)
    return event


def _item(rng: random.Random, number: int) -> ItemUpserted:
    external = f"item-{number}"
    item = ItemUpserted(item_id=item_id(external), external_id=external, title=f"Title {number}")
    item.tags.extend(rng.sample(TAGS, rng.choice((0, 1, 2, 3))))
    item.creator = rng.choice(("", "ann", "bob", "carla"))
    item.locale = rng.choice(LOCALES)
    item.text = rng.choice(("", "a quiet story of two brothers and a boat"))
    if rng.random() < 0.7:
        set_ms(item.published_at, START_MS - rng.randrange(20_000) * DAY_MS // 10)
    return item


def _catalogue_event(rng: random.Random, number: int, at_ms: int, items: int) -> tuple[int, Event]:
    upserted = _item(rng, rng.randrange(items))
    item = upserted.item_id
    choice = rng.random()
    if choice < 0.7:
        return item, _event(number, at_ms, item_upserted=upserted)
    if choice < 0.8:
        return item, _event(number, at_ms, item_withdrawn=ItemWithdrawn(item_id=item, reason="test"))
    if choice < 0.9:
        stock = InventoryChanged(item_id=item, available=rng.choice((0, 3)))
        return item, _event(number, at_ms, inventory_changed=stock)
    return item, _event(number, at_ms, safety_labelled=SafetyLabelled(item_id=item, safe=rng.random() < 0.5))


def _profile_event(rng: random.Random, number: int, at_ms: int, subject: bytes) -> Event:
    creator = name_id(rng.choice(("ann", "bob", "carla")))
    choice = rng.random()
    if choice < 0.4:
        return _event(number, at_ms, profile_updated=ProfileUpdated(subject=subject, locale=rng.choice(LOCALES)))
    if choice < 0.7:
        return _event(number, at_ms, creator_followed=CreatorFollowed(subject=subject, creator_id=creator))
    if choice < 0.85:
        return _event(number, at_ms, creator_unfollowed=CreatorUnfollowed(subject=subject, creator_id=creator))
    if choice < 0.99:
        return _event(number, at_ms, creator_blocked=CreatorBlocked(subject=subject, creator_id=creator))
    event = _event(number, at_ms)
    event.subject_erased.subject = subject
    return event


def entries(count: int, *, seed: int = 7, users: int = 120, items: int = 200, step_ms: int = 90_000) -> Iterator[Entry]:
    """Yield `count` events with their topic and key, in the order of their times but for a few stragglers."""
    rng = random.Random(seed)
    for number in range(count):
        at_ms = START_MS + number * step_ms // 3 * 3 - rng.choice((0, 0, 0, 0, 3_600_000))
        subject = subject_of(f"user-{rng.randrange(users)}", anonymous=False, key=b"test")
        item = item_id(f"item-{int(items * rng.random() ** 2)}")
        kind = rng.choice(KINDS)
        value = float(rng.randint(1, 5)) if kind == 17 else 1.0
        said = {"subject": subject, "item_id": item, "kind": kind, "value": value, "liked": kind == 17 and value >= 4}
        choice = rng.random() if number >= items else 0.0
        if choice < 0.08:
            if number < items:
                upserted = _item(rng, number)
                yield CATALOG, item_key(upserted.item_id), _event(number, at_ms, item_upserted=upserted)
                continue
            item, event = _catalogue_event(rng, number, at_ms, items)
            yield CATALOG, item_key(item), event
        elif choice < 0.12:
            yield PROFILES, subject, _profile_event(rng, number, at_ms, subject)
        elif choice < 0.22:
            viewed = [
                ViewedItem(item_id=item_id(f"item-{rng.randrange(items)}"), position=place, seen=rng.random() < 0.8)
                for place in range(1, rng.randrange(2, 8))
            ]
            payload = ItemsViewed(decision_id=bytes(16), subject=subject, items=viewed)
            yield IMPRESSIONS, subject, _event(number, at_ms, items_viewed=payload)
        elif choice < 0.37:
            taken = ActionTaken(decision_id=bytes(16), position=1, **said)
            yield ACTIONS, subject, _event(number, at_ms, action_taken=taken)
        else:
            yield ORGANIC, subject, _event(number, at_ms, organic_interaction=OrganicInteraction(**said))


def write(path: Path, recorded: Iterator[Entry]) -> None:
    """Write events as zstd over (topic length, topic, key length, key, event length, event), numbers of 4 bytes."""
    parts: list[bytes] = []
    for topic, key, event in recorded:
        for part in (topic.name.encode(), key, event.SerializeToString(deterministic=True)):
            parts += [len(part).to_bytes(4, "big"), part]
    path.write_bytes(zstandard.ZstdCompressor(level=19).compress(b"".join(parts)))


def read(path: Path = RECORDED) -> list[tuple[str, bytes, bytes]]:
    """Return (topic name, key, event bytes) of a recorded log, in the order of its appends."""
    raw = zstandard.ZstdDecompressor().decompress(path.read_bytes())
    parts: list[bytes] = []
    at = 0
    while at < len(raw):
        length = int.from_bytes(raw[at : at + 4], "big")
        parts.append(raw[at + 4 : at + 4 + length])
        at += 4 + length
    return [(parts[place].decode(), parts[place + 1], parts[place + 2]) for place in range(0, len(parts), 3)]


def partition_of(key: bytes) -> int:
    """Return the physical partition of a key in a log of the usual four."""
    return logical_partition(key) % PARTITIONS


if __name__ == "__main__":
    write(RECORDED, entries(5000))
