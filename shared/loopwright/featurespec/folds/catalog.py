"""Catalogue events in, the registers of `item_content.v1` out; the projector's stage 2 and the trainer call it."""

from __future__ import annotations

from dataclasses import replace

from loopwright.api.events.v1.catalog_pb2 import ItemUpserted
from loopwright.api.events.v1.event_pb2 import Event
from loopwright.featurespec.content_vector import sketch_of, words_of
from loopwright.featurespec.folds.times import time_ms
from loopwright.featurespec.item_content import MOST_TEXTS, ItemContent, ItemFacts, Stamp
from loopwright.featurespec.table import ItemTable

PAYLOADS = frozenset({"item_upserted", "item_withdrawn", "inventory_changed", "safety_labelled"})
_EVENT_ID_BYTES = 16


def item_of(event: Event) -> int:
    """Return the item a catalogue event is about, 0 for any other event."""
    name = event.WhichOneof("payload")
    return int(getattr(event, name).item_id) if name in PAYLOADS else 0


def apply(content: ItemContent, event: Event) -> ItemContent:
    """Return the state after the event; the same for any order and any repetition of events."""
    name = event.WhichOneof("payload")
    stamp = Stamp(time_ms(event), event.event_id.ljust(_EVENT_ID_BYTES, b"\0")[:_EVENT_ID_BYTES])
    if name == "item_upserted":
        earlier = content.first_upsert_ms
        first = stamp.time_ms if earlier < 0 else min(earlier, stamp.time_ms)
        if stamp > content.upserted:
            return replace(content, upserted=stamp, first_upsert_ms=first, facts=facts_of_item(event.item_upserted))
        return replace(content, first_upsert_ms=first)
    if name == "item_withdrawn":
        return replace(content, withdrawn=max(content.withdrawn, stamp))
    if name == "inventory_changed" and stamp > content.stocked:
        return replace(content, stocked=stamp, available=event.inventory_changed.available)
    if name == "safety_labelled" and stamp > content.labelled:
        return replace(content, labelled=stamp, safe=event.safety_labelled.safe)
    return content


def facts_of_item(item: ItemUpserted) -> ItemFacts:
    """Return what an upsert says; the same tag twice counts once, and at most 64 tags count."""
    tags = tuple(dict.fromkeys(tag for tag in item.tags if tag))[:MOST_TEXTS]
    published = item.published_at
    return ItemFacts(
        external_id=item.external_id,
        title=item.title,
        tags=tags,
        creator=item.creator,
        published_ms=published.seconds * 1000 + published.nanos // 1_000_000 if item.HasField("published_at") else -1,
        locale=item.locale,
        sketch=tuple(sketch_of(list(tags) or words_of(item.title, item.text))),
    )


def fold_catalog(table: ItemTable, event: Event) -> int | None:
    """Fold a catalogue event into the table and return the row it touched; None when it is about no item."""
    item = item_of(event)
    if not item:
        return None
    row = table.row_for(item)
    before = table.content_of(row)
    after = apply(before, event)
    if after != before:
        table.set_content(row, after)
    return row
