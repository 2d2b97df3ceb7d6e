"""Columns of facts in, what serving reads out: a user's row and the table of items, by the product's folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.api.events.v1.feedback_pb2 import ActionTaken, ItemsViewed, OrganicInteraction, ViewedItem
from loopwright.domain.ids import EVENT_BYTES
from loopwright.domain.vectors import I64, LIKED_FLAG, U64
from loopwright.eventlog import order_key
from loopwright.eventlog.envelope import set_ms
from loopwright.featurespec.facts import SLATE_FLAG, VIEWED, FactBatch
from loopwright.featurespec.folds.catalog import fold_catalog, item_of
from loopwright.featurespec.folds.users import UserFold
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import UserState
from loopwright.trainer.labels.actions import Actions


def user_state(actions: Actions, viewed: tuple[U64, I64], profile: Sequence[bytes]) -> UserState:
    """Return a user's states after the given facts, as the projector would hold them.

    Args:
        actions: The user's actions, oldest first.
        viewed: Item ids uint64 [v] and times int64 [v] of confirmed views.
        profile: Encoded profile events of the user, in event order.
    """
    fold = UserFold()
    for raw in profile:
        fold.apply(Event.FromString(raw))
    columns = (actions.item_ids, actions.kinds, actions.liked, actions.values, actions.times_ms, actions.slate)
    for place, (item, kind, liked, value, at_ms, slate) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        # The place stands in for the ids: it orders equal times as they did.
        event = Event(event_id=place.to_bytes(EVENT_BYTES, "big"))
        if slate:
            event.action_taken.CopyFrom(ActionTaken(item_id=item, kind=kind, liked=liked, value=value))
        else:
            event.organic_interaction.CopyFrom(OrganicInteraction(item_id=item, kind=kind, liked=liked, value=value))
        set_ms(event.occurred_at, at_ms)
        fold.apply(event)
    for item, at_ms in zip(viewed[0].tolist(), viewed[1].tolist(), strict=True):
        event = Event(items_viewed=ItemsViewed(items=[ViewedItem(item_id=item, seen=True)]))
        set_ms(event.occurred_at, at_ms)
        fold.apply(event)
    return fold.state()


def catalogue_table(events: Sequence[bytes], item_ids: U64) -> ItemTable:
    """Return the items without any interaction, rows by ascending item id whatever the order of events.

    Args:
        events: Encoded catalogue events.
        item_ids: uint64, items that interactions name; those the catalogue lacks get rows too.
    """
    decoded = [Event.FromString(raw) for raw in events]
    decoded.sort(key=lambda event: (item_of(event), order_key(event)))
    table = ItemTable()
    named = np.array([item_of(event) for event in decoded], dtype=np.uint64)
    table.rows_for(np.union1d(named, item_ids[item_ids != 0]))
    for event in decoded:
        fold_catalog(table, event)
    return table


def facts(actions: Actions, views: tuple[U64, I64]) -> FactBatch:
    """Return what actions and confirmed views say about items."""
    on_items = actions.take(actions.item_ids != 0)
    flags = on_items.liked * np.uint8(LIKED_FLAG) | on_items.slate * np.uint8(SLATE_FLAG)
    viewed, at_ms = views
    return FactBatch(
        np.concatenate([on_items.item_ids, viewed]),
        np.concatenate([on_items.kinds | flags, np.full(len(viewed), VIEWED | SLATE_FLAG)]).astype(np.uint8),
        np.concatenate([on_items.values, np.ones(len(viewed), np.float32)]).astype(np.float32),
        np.concatenate([on_items.times_ms, at_ms]),
    )
