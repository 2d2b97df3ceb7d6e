"""Rows as messages of the ingest service."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from loopwright.api.ingest.v1 import ingest_service_pb2 as pb
from loopwright.cli.importing.rows import ItemRow
from loopwright.cli.importing.selection import Selected
from loopwright.domain.enums import ActionKind
from loopwright.pipeline.convert.parsing import number, timestamp


def items_request(batch: int, rows: Sequence[tuple[ItemRow, int | None]]) -> pb.IngestItemsRequest:
    """Return one batch of items with the mesh time each became known; None: now."""
    return pb.IngestItemsRequest(batch=batch, items=[_item(row, time_ms) for row, time_ms in rows])


def _item(row: ItemRow, time_ms: int | None) -> pb.Item:
    published = None
    if row.published_s is not None:
        seconds = int(row.published_s // 1)
        published = Timestamp(seconds=seconds, nanos=round((row.published_s - seconds) * 1000) * 1_000_000 % 10**9)
    return pb.Item(
        item_id=row.item_id,
        title=row.title,
        tags=row.tags,
        creator=row.creator,
        published_at=published,
        locale=row.locale,
        text=row.text,
        occurred_at=None if time_ms is None else timestamp(time_ms),
    )


def interactions_request(
    batch: int, rows: Sequence[Selected], *, like_at: float, event_time: bool, surface: str
) -> pb.IngestInteractionsRequest:
    """Return one batch of interactions; without `event_time` the mesh clock stamps them on arrival."""
    return pb.IngestInteractionsRequest(
        batch=batch,
        surface=surface,
        interactions=[
            pb.Interaction(
                user_id=entry.row.user_id,
                item_id=entry.row.item_id,
                kind=number(ActionKind.RATE),
                value=entry.row.rating,
                liked=entry.row.rating >= like_at,
                client_event_id=entry.client_event_id,
                occurred_at=timestamp(entry.row.time_ms) if event_time else None,
            )
            for entry in rows
        ],
    )
