"""Records that no reader may fall over: poison, oddities and corrupt bytes, the same ones for the same seed.

Unit tests of every reader of fact topics take a few; the fault scenarios publish a thousand of each.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from loopwright.api.events.v1.catalog_pb2 import InventoryChanged, ItemUpserted, ItemWithdrawn
from loopwright.api.events.v1.decision_pb2 import Candidates, RequestRecord, SlateDecided, SlatePosition, SourceRecord
from loopwright.api.events.v1.feedback_pb2 import ActionTaken, ItemsViewed, OrganicInteraction, ViewedItem
from loopwright.api.events.v1.profile_pb2 import CreatorBlocked, ProfileUpdated
from loopwright.domain.ids import event_id, item_key
from loopwright.eventlog import (
    ACTIONS,
    CATALOG,
    DECISIONS,
    IMPRESSIONS,
    ORGANIC,
    PROFILES,
    Event,
    MemoryBroker,
    Record,
    Topic,
    Undecodable,
    make_event,
)
from loopwright.eventlog.decoding import decode
from loopwright.featurespec.folds.catalog import item_of
from loopwright.featurespec.folds.validity import flaw_of
from loopwright.lifecycle import FixedClock

NOW_MS = 1_700_000_000_000
UNKNOWN_FIELD = bytes([0xC2, 0x3E, 0x00])
"""Field 1000 of the envelope, empty: a payload that only a later build knows."""


class Bad(NamedTuple):
    """One record to put on the log as it is; `what` names the kind of damage."""

    what: str
    topic: Topic
    key: bytes
    value: bytes


def corrupt_values(count: int, seed: int = 1, topic: Topic = ORGANIC, now_ms: int = NOW_MS) -> list[Bad]:
    """Return records whose bytes are no event, or an event whose payload nobody knows, over `count` keys."""
    dice = random.Random(seed)
    return [_corrupt(dice, number, topic, now_ms) for number in range(count)]


def poison_events(count: int, seed: int = 1, now_ms: int = NOW_MS) -> list[Bad]:
    """Return events that decode and are malformed: `flaw_of`, or a catalogue fact without an item.

    Kinds of damage take turns; subjects, items and ids are all different.
    """
    dice = random.Random(seed)
    found = [_poison(dice, number, now_ms) for number in range(count)]
    for bad in found:
        event = Event.FromString(bad.value)
        assert flaw_of(event) or (bad.topic is CATALOG and not item_of(event)), bad.what
    return found


def odd_events(count: int, seed: int = 1, now_ms: int = NOW_MS) -> list[Bad]:
    """Return events that pass the folds' check but contradict themselves or say nothing; readers need not use them."""
    dice = random.Random(seed)
    return [_odd(dice, number, now_ms) for number in range(count)]


def inject(broker: MemoryBroker, records: list[Bad]) -> None:
    """Put records on a log in memory, past every check."""
    for bad in records:
        broker.inject(bad.topic, bad.key, bad.value)


def organic_event(number: int, owner: bytes, now_ms: int = NOW_MS, **changes: Any) -> Event:
    """Return a good organic interaction with some of its fields changed."""
    fields: dict[str, Any] = {"subject": owner, "item_id": 1 + number, "kind": 1, "value": 1.0} | changes
    return _event(number, "organic", now_ms, organic_interaction=OrganicInteraction(**fields))


def _event(number: int, what: str, at_ms: int, **payload: Any) -> Event:
    identity = event_id("bad", what, number)
    return make_event(identity, at_ms, FixedClock(NOW_MS), "test", client_event_id=f"{what}-{number}", **payload)


def _corrupt(dice: random.Random, number: int, topic: Topic, now_ms: int) -> Bad:
    subject = dice.randbytes(16)
    whole = organic_event(number, subject, now_ms).SerializeToString()
    kind = ("cut", "flipped", "noise", "wrong wire type", "unknown payload", "no payload")[number % 6]
    while True:
        if kind == "cut":
            value = whole[: dice.randrange(1, len(whole))]
        elif kind == "flipped":
            at = dice.randrange(len(whole))
            value = whole[:at] + bytes([whole[at] ^ 1 << dice.randrange(8)]) + whole[at + 1 :]
        elif kind == "noise":
            value = dice.randbytes(dice.randrange(1, 200))
        elif kind == "wrong wire type":
            value = whole + bytes([0x0F])
        else:
            value = Event(event_id=dice.randbytes(16)).SerializeToString()
            value += UNKNOWN_FIELD if kind == "unknown payload" else b""
        if isinstance(decode(topic.name, 0, 0, subject, value, "", 0), Undecodable):
            return Bad(kind, topic, subject, value)


def _poison(dice: random.Random, number: int, now_ms: int) -> Bad:
    what, make = _POISON[number % len(_POISON)]
    subject = dice.randbytes(16)
    topic, event = make(number, subject, now_ms)
    key = item_key(dice.getrandbits(64)) if topic is CATALOG else subject
    return Bad(what, topic, key, event.SerializeToString())


Maker = Callable[[int, bytes, int], tuple[Topic, Event]]


def _organic(**changes: Any) -> Maker:
    return lambda number, subject, now: (ORGANIC, organic_event(number, subject, now, **changes))


def _envelope(change: Callable[[Event], None]) -> Maker:
    def make(number: int, subject: bytes, now: int) -> tuple[Topic, Event]:
        event = organic_event(number, subject, now)
        change(event)
        return ORGANIC, event

    return make


def _set(name: str, value: Any) -> Callable[[Event], None]:
    return lambda event: setattr(event, name, value)


def _seconds(value: int) -> Callable[[Event], None]:
    return lambda event: setattr(event.occurred_at, "seconds", value)


def _action(**fields: Any) -> ActionTaken:
    whole: dict[str, Any] = {"kind": 1} | fields
    return ActionTaken(**whole)


def _payload(topic: Topic, make: Callable[[bytes], dict[str, Any]]) -> Maker:
    return lambda number, subject, now: (topic, _event(number, topic.name, now, **make(subject)))


_POISON: tuple[tuple[str, Maker], ...] = (
    ("subject too short", _organic(subject=b"abc")),
    ("subject too long", _organic(subject=b"x" * 17)),
    ("no subject", _organic(subject=b"")),
    ("value is not a number", _organic(value=math.nan)),
    ("value is infinite", _organic(value=-math.inf)),
    ("value is absurd", _organic(value=1e300)),
    ("kind 0", _organic(kind=0)),
    ("kind of a later build", _organic(kind=4_000)),
    ("kind below zero", _organic(kind=-7)),
    ("event id too short", _envelope(_set("event_id", b"short"))),
    ("no event id", _envelope(_set("event_id", b""))),
    ("before 1970", _envelope(_seconds(-62_135_596_800))),
    ("year 9999", _envelope(_seconds(253_402_300_799))),
    ("beyond every calendar", _envelope(_seconds(2**62))),
    ("client id too long", _envelope(_set("client_event_id", "x" * 5_000))),
    ("client id with a zero byte", _envelope(_set("client_event_id", "a\0b"))),
    ("empty interaction", _payload(ORGANIC, lambda subject: {"organic_interaction": OrganicInteraction()})),
    ("empty action", _payload(ACTIONS, lambda subject: {"action_taken": ActionTaken()})),
    ("action of nobody", _payload(ACTIONS, lambda subject: {"action_taken": _action(item_id=5)})),
    ("action worth no number", _payload(
        ACTIONS, lambda subject: {"action_taken": _action(subject=subject, item_id=5, value=math.nan)})),
    ("view of nobody", _payload(
        IMPRESSIONS, lambda subject: {"items_viewed": ItemsViewed(items=[ViewedItem(item_id=3, seen=True)])})),
    ("profile of nobody", _payload(PROFILES, lambda subject: {"profile_updated": ProfileUpdated(locale="en")})),
    ("block by nobody", _payload(PROFILES, lambda subject: {"creator_blocked": CreatorBlocked(creator_id=4)})),
    ("published before the stars", _payload(
        CATALOG, lambda subject: {"item_upserted": ItemUpserted(item_id=8, published_at={"seconds": -(2**62)})})),
    ("item without an id", _payload(CATALOG, lambda subject: {"item_upserted": ItemUpserted(external_id="x")})),
    ("withdrawal of nothing", _payload(CATALOG, lambda subject: {"item_withdrawn": ItemWithdrawn()})),
    ("stock of nothing", _payload(CATALOG, lambda subject: {"inventory_changed": InventoryChanged(available=5)})),
)  # fmt: skip


def _odd(dice: random.Random, number: int, now_ms: int) -> Bad:
    what, make = _ODD[number % len(_ODD)]
    subject = dice.randbytes(16)
    topic, event = make(number, subject, now_ms)
    return Bad(what, topic, subject, event.SerializeToString())


def _decision(**fields: Any) -> Callable[[bytes], dict[str, Any]]:
    def make(subject: bytes) -> dict[str, Any]:
        request = RequestRecord(subject=subject, purpose=1)  # type: ignore[arg-type]  # SERVE
        body: dict[str, Any] = {"decision_id": subject, "request": request} | fields
        return {"slate_decided": SlateDecided(**body)}

    return make


_ODD: tuple[tuple[str, Maker], ...] = (
    ("item 0", _organic(item_id=0)),
    ("empty decision", _payload(DECISIONS, lambda subject: {"slate_decided": SlateDecided()})),
    ("slate without columns", _payload(DECISIONS, _decision(slate=[SlatePosition(item_id=1, position=1)]))),
    ("columns without a slate", _payload(
        DECISIONS, _decision(slate_candidates=Candidates(item_ids={"dtype": 99, "shape": [2**31], "data": b"x"})))),
    ("source of a later build", _payload(DECISIONS, _decision(sources=[SourceRecord(source=90)]))),  # type: ignore[arg-type]
    ("probability above 1", _payload(
        DECISIONS, _decision(slate=[SlatePosition(item_id=1, position=4_000_000_000, p_shown=math.nan, scheme=77)]))),  # type: ignore[arg-type]
    ("short decision id", _payload(DECISIONS, _decision(decision_id=b"d"))),
    ("view of nothing", _payload(IMPRESSIONS, lambda subject: {"items_viewed": ItemsViewed(subject=subject)})),
    ("view of item 0", _payload(
        IMPRESSIONS, lambda subject: {"items_viewed": ItemsViewed(subject=subject, items=[ViewedItem(seen=True)])})),
    ("action on item 0", _payload(ACTIONS, lambda subject: {"action_taken": _action(subject=subject)})),
    ("recorded in year 9999", _envelope(lambda event: setattr(event.recorded_at, "seconds", 253_402_300_799))),
    ("recorded before 1970", _envelope(lambda event: setattr(event.recorded_at, "seconds", -10**12))),
    ("another item's id", _payload(
        CATALOG, lambda subject: {"item_upserted": ItemUpserted(item_id=7, external_id="somebody else")})),
)  # fmt: skip


def records_of(bads: list[Bad]) -> list[Record]:
    """Return decodable ones as records, for folds that take records."""
    found = [decode(bad.topic.name, 0, n, bad.key, bad.value, "", NOW_MS) for n, bad in enumerate(bads)]
    return [record for record in found if isinstance(record, Record)]
