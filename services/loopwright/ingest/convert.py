"""Messages to rows, rows to events, events to facts of the catalogue; proto types of this service stop here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from loopwright.api.events.v1 import catalog_pb2, control_pb2, feedback_pb2, profile_pb2
from loopwright.api.events.v1.sealed_pb2 import Sealed, SealedContext
from loopwright.api.ingest.v1 import ingest_service_pb2 as pb
from loopwright.domain.ids import event_id, name_id
from loopwright.eventlog import Event, HasNow, Record, make_event, ms_of, occurred_at_ms, set_ms
from loopwright.featurespec.folds.catalog import item_of
from loopwright.featurespec.folds.validity import LAST_SECOND, flaw_of
from loopwright.ingest.known_items import Upserted, Withdrawn
from loopwright.ingest.rows import InteractionRow, ItemRow, ProfileRow, Receipt, Relation, content_of, profile_content
from loopwright.pipeline.convert.parsing import milliseconds, parse_enum, timestamp

PRODUCER = "ingest"
PLAIN = 0
"""Key id of what is sealed with no key."""


def items_from_proto(request: pb.IngestItemsRequest) -> list[ItemRow]:
    """Return the rows of a batch."""
    return [
        ItemRow(
            external_id=item.item_id,
            title=item.title,
            tags=tuple(item.tags),
            creator=item.creator,
            published_at_ms=ms_of(item.published_at) if item.HasField("published_at") else None,
            locale=item.locale,
            text=item.text,
            occurred_at_ms=ms_of(item.occurred_at) if item.HasField("occurred_at") else None,
        )
        for item in request.items
    ]


def profiles_from_proto(request: pb.IngestProfilesRequest) -> list[ProfileRow]:
    """Return the rows of a batch."""
    return [
        ProfileRow(
            user_id=profile.user_id,
            locale=profile.locale,
            traits=tuple(sorted(profile.traits.items())),
            occurred_at_ms=ms_of(profile.occurred_at) if profile.HasField("occurred_at") else None,
        )
        for profile in request.profiles
    ]


def interactions_from_proto(request: pb.IngestInteractionsRequest) -> list[InteractionRow]:
    """Return the rows of a batch."""
    return [
        InteractionRow(
            row.user_id,
            row.item_id,
            row.kind,
            row.value,
            row.liked,
            row.client_event_id,
            ms_of(row.occurred_at) if row.HasField("occurred_at") else None,
        )
        for row in request.interactions
    ]


def relation_from_proto(request: pb.UpdateCreatorRelationRequest) -> Relation:
    """Return the relation of a request.

    Raises:
        InvalidRequest: A relation that this build does not know.
    """
    return parse_enum(Relation, request.relation, "relation")


def clock_from_proto(request: pb.SetClockRequest) -> int:
    """Return the mesh time asked for in milliseconds.

    Raises:
        InvalidRequest: It is before 1970 or from 2100 on.
    """
    return milliseconds(request.mesh_time, "mesh_time")


def rejections_of(receipt: Receipt) -> list[pb.Rejection]:
    """Return a batch's refusals as messages."""
    return [
        pb.Rejection(index=index, field=why.field, reason=why.reason, description=why.description)
        for index, why in receipt.refused
    ]


def watermarks_to_proto(
    now_ms: int, newest_ms: int | None, organic_ms: int | None, *, window_ms: int, fixed: bool
) -> pb.GetWatermarksResponse:
    """Return what an importer must know."""
    return pb.GetWatermarksResponse(
        mesh_time=timestamp(now_ms),
        newest_occurred_at=None if newest_ms is None else timestamp(newest_ms),
        newest_organic_at=None if organic_ms is None else timestamp(organic_ms),
        dedup_window_s=window_ms // 1000,
        clock_fixed=fixed,
    )


def clock_to_proto(now_ms: int) -> pb.SetClockResponse:
    """Return mesh time as an answer."""
    return pb.SetClockResponse(mesh_time=timestamp(now_ms))


def item_event(row: ItemRow, item: int, occurred_ms: int, clock: HasNow) -> Event:
    """Return the event of an item; its id is a function of content and time, so a repeated import repeats it."""
    upserted = catalog_pb2.ItemUpserted(
        item_id=item,
        external_id=row.external_id,
        title=row.title,
        tags=row.tags,
        creator=row.creator,
        locale=row.locale,
        text=row.text,
    )
    if row.published_at_ms is not None:
        set_ms(upserted.published_at, row.published_at_ms)
    identity = event_id("ITEM_UPSERTED", item, occurred_ms, content_of(row))
    return make_event(identity, occurred_ms, clock, PRODUCER, item_upserted=upserted)


def withdrawn_event(item: int, reason: str, clock: HasNow) -> Event:
    """Return the event of an item that leaves now."""
    now = clock.now_ms()
    payload = catalog_pb2.ItemWithdrawn(item_id=item, reason=reason)
    return make_event(event_id("ITEM_WITHDRAWN", item, now, reason), now, clock, PRODUCER, item_withdrawn=payload)


def inventory_event(item: int, available: int, clock: HasNow) -> Event:
    """Return the event of a stock as it is now."""
    now = clock.now_ms()
    payload = catalog_pb2.InventoryChanged(item_id=item, available=available)
    identity = event_id("INVENTORY_CHANGED", item, now, available)
    return make_event(identity, now, clock, PRODUCER, inventory_changed=payload)


def safety_event(item: int, safe: bool, reason: str, clock: HasNow) -> Event:
    """Return the event of a safety label as it is now."""
    now = clock.now_ms()
    payload = catalog_pb2.SafetyLabelled(item_id=item, safe=safe, reason=reason)
    identity = event_id("SAFETY_LABELLED", item, now, int(safe), reason)
    return make_event(identity, now, clock, PRODUCER, safety_labelled=payload)


def profile_event(row: ProfileRow, subject: bytes, occurred_ms: int, clock: HasNow) -> Event:
    """Return the event of a profile; the external id is in the sealed field only."""
    updated = profile_pb2.ProfileUpdated(
        subject=subject,
        locale=row.locale,
        traits=dict(row.traits),
        sealed=Sealed(key_id=PLAIN, data=SealedContext(external_id=row.user_id).SerializeToString()),
    )
    identity = event_id("PROFILE_UPDATED", subject, occurred_ms, profile_content(row))
    return make_event(identity, occurred_ms, clock, PRODUCER, profile_updated=updated)


_RELATIONS: Mapping[Relation, tuple[str, Callable[..., Any]]] = {
    Relation.FOLLOW: ("creator_followed", profile_pb2.CreatorFollowed),
    Relation.UNFOLLOW: ("creator_unfollowed", profile_pb2.CreatorUnfollowed),
    Relation.BLOCK: ("creator_blocked", profile_pb2.CreatorBlocked),
}


def relation_event(subject: bytes, creator: str, relation: Relation, client_event_id: str, clock: HasNow) -> Event:
    """Return the event of a relation as it is now; a repeat under the same client id has the same event id."""
    name, payload = _RELATIONS[relation]
    creator_id = name_id(creator)
    return make_event(
        event_id("CREATOR_RELATION", subject, creator_id, int(relation), client_event_id),
        clock.now_ms(),
        clock,
        PRODUCER,
        client_event_id=client_event_id,
        **{name: payload(subject=subject, creator_id=creator_id)},
    )


def erased_event(subject: bytes, clock: HasNow) -> Event:
    """Return the event of a user who asked now to be forgotten."""
    now = clock.now_ms()
    payload = profile_pb2.SubjectErased(subject=subject)
    return make_event(event_id("SUBJECT_ERASED", subject, now), now, clock, PRODUCER, subject_erased=payload)


def organic_id(row: InteractionRow, subject: bytes, item: int) -> bytes:
    """Return the identity of an interaction; the time is not part of it, so a corrected retry stays one fact."""
    return event_id("organic", subject, item, row.kind, row.client_event_id)


def organic_event(
    row: InteractionRow, identity: bytes, subject: bytes, item: int, occurred_ms: int, recorded: Timestamp, surface: str
) -> Event:
    """Return the event of an interaction; built in one call, because an import makes millions."""
    seconds, rest = divmod(occurred_ms, 1000)
    return Event(
        event_id=identity,
        occurred_at=Timestamp(seconds=seconds, nanos=rest * 1_000_000),
        recorded_at=recorded,
        producer=PRODUCER,
        surface=surface,
        client_event_id=row.client_event_id,
        organic_interaction=feedback_pb2.OrganicInteraction(
            subject=subject,
            item_id=item,
            kind=row.kind,  # type: ignore[arg-type]  # the stubs want their own class; validation has checked the number
            value=row.value,
            liked=row.liked,
        ),
    )


def recorded_at(clock: HasNow) -> Timestamp:
    """Return the time of recording that all rows of a batch share."""
    return timestamp(clock.now_ms())


def clock_event(mesh_ms: int, wall_ms: int, cause: str, clock: HasNow) -> Event:
    """Return the event that sets mesh time to `mesh_ms` at `wall_ms`."""
    offset = Duration()
    offset.FromMilliseconds(mesh_ms - wall_ms)
    identity = event_id("CLOCK_SET", mesh_ms, wall_ms, cause)
    return make_event(identity, mesh_ms, clock, PRODUCER, clock_set=control_pb2.ClockSet(offset=offset, cause=cause))


def fact_flaw(event: Event) -> str:
    """Return why no watermark may be taken from an event, "" when one may.

    An absurd time would hold the mesh clock or refuse honest batches as late, for ever.
    """
    if not 0 <= event.recorded_at.seconds < LAST_SECOND:
        return "recorded_at is outside 1970 to 2100"
    return flaw_of(event)


def catalogue_flaw(event: Event) -> str:
    """Return why a CATALOG event tells nothing of who is known, "" when it does."""
    if flaw := flaw_of(event):
        return flaw
    return "" if item_of(event) else "names no item"


def catalogue_fact(event: Event) -> Upserted | Withdrawn | None:
    """Return what a CATALOG event says of who is known, None when nothing."""
    written = (occurred_at_ms(event), event.event_id)
    payload = event.WhichOneof("payload")
    if payload == "item_withdrawn":
        return Withdrawn(event.item_withdrawn.item_id, written)
    if payload != "item_upserted":
        return None
    item = event.item_upserted
    row = ItemRow(
        external_id=item.external_id,
        title=item.title,
        tags=tuple(item.tags),
        creator=item.creator,
        published_at_ms=ms_of(item.published_at) if item.HasField("published_at") else None,
        locale=item.locale,
        text=item.text,
        occurred_at_ms=None,
    )
    return Upserted(item.item_id, item.external_id, content_of(row), written)


def purpose_of(record: Record) -> int:
    """Return the purpose of a decision, 0 for another payload."""
    decided = record.event.WhichOneof("payload") == "slate_decided"
    return int(record.event.slate_decided.request.purpose) if decided else 0
