"""Recorded decisions between the log's events and the answer of `Explain`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import zstandard

from loopwright.api.events.v1.decision_pb2 import Funnel
from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.eventlog import Event
from loopwright.faults import CorruptRecord
from loopwright.pipeline.convert.tensors import from_tensor
from loopwright.pipeline.types import U64

MAX_FUNNEL_BYTES = 64 << 20


def part_of(event: Event, decision_id: bytes) -> tuple[int, int]:
    """Return the part's index and the number of parts when the event is of the decision, else (0, 0)."""
    payload = event.WhichOneof("payload")
    if payload == "slate_decided" and event.slate_decided.decision_id == decision_id:
        return 0, 1
    if payload == "funnel_chunk" and event.funnel_chunk.decision_id == decision_id:
        return event.funnel_chunk.index, event.funnel_chunk.count
    return 0, 0


def joined_funnel(count: int, chunks: Iterable[Event]) -> Funnel:
    """Return the funnel that the chunk events of one decision encode.

    Raises:
        CorruptRecord: A part is missing.
    """
    parts = {event.funnel_chunk.index: event.funnel_chunk.data for event in chunks}
    if sorted(parts) != list(range(count)):
        raise CorruptRecord(f"{len(parts)} of {count} parts of the funnel are on the log")
    packed = b"".join(parts[i] for i in range(count))
    return Funnel.FromString(zstandard.ZstdDecompressor().decompress(packed, max_output_size=MAX_FUNNEL_BYTES))


def candidate_ids(event: Event, funnel: Funnel | None) -> U64:
    """Return the inner ids of the recorded candidates: the funnel's when on record, else the slate's."""
    table = funnel.candidates if funnel else event.slate_decided.slate_candidates
    return from_tensor(table.item_ids, "item_ids", np.uint64)


def explanation(event: Event, funnel: Funnel | None, item_ids: tuple[str, ...]) -> pb.ExplainResponse:
    """Return the answer that shows a recorded decision."""
    return pb.ExplainResponse(
        decision=event.slate_decided,
        funnel=funnel,
        item_ids=item_ids,
        occurred_at=event.occurred_at,
        surface=event.surface,
        versions=event.versions,
    )
