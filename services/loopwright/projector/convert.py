"""Facts and item rows to and from the events of `item_facts` and `item_rows`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.typing import NDArray

from loopwright.api.common.v1.tensor_pb2 import Tensor
from loopwright.api.events.v1.event_pb2 import Event
from loopwright.api.events.v1.projection_pb2 import ItemFactsDerived, ItemRowFolded
from loopwright.domain.ids import event_id, item_key
from loopwright.domain.vectors import U32, U64
from loopwright.eventlog import HasNow, make_event
from loopwright.faults import PoisonEvent
from loopwright.featurespec.facts import FactBatch

MOST_FACTS = 16_000
"""Facts in one event: 530 KB, below the log's limit of 1 MiB."""

_DTYPES = {"<f4": "DTYPE_FLOAT32", "|u1": "DTYPE_UINT8", "<u4": "DTYPE_UINT32", "<u8": "DTYPE_UINT64"}


@dataclass(frozen=True, slots=True)
class SourcedFacts:
    """Facts of one source topic about items of one logical partition, with where each was read.

    Attributes:
        topic: The source topic.
        item_partition: Logical partition of the items.
        partitions: uint32 [m], logical partition of each fact's source.
        offsets: uint64 [m], never falling within a source partition.
        indices: uint32 [m], index of the fact within its event.
        facts: The facts.
    """

    topic: str
    item_partition: int
    partitions: U32
    offsets: U64
    indices: U32
    facts: FactBatch


def facts_to_events(sourced: SourcedFacts, clock: HasNow, producer: str) -> Iterator[tuple[bytes, Event]]:
    """Yield (key, event) of one or more events that carry the facts in their order."""
    for start in range(0, len(sourced.facts), MOST_FACTS):
        part = slice(start, start + MOST_FACTS)
        facts = sourced.facts
        said = ItemFactsDerived(
            source_topic=sourced.topic,
            source_partitions=_tensor(sourced.partitions[part]),
            item_partition=sourced.item_partition,
            offsets=_tensor(sourced.offsets[part]),
            fact_indices=_tensor(sourced.indices[part]),
            item_ids=_tensor(facts.item_ids[part]),
            kinds=_tensor(facts.kinds[part]),
            values=_tensor(facts.values[part]),
            occurred_at_ms=_tensor(facts.times_ms[part].astype(np.uint64)),
        )
        places = (said.source_partitions.data, said.offsets.data, said.fact_indices.data)
        identity = event_id("item_facts", sourced.topic, sourced.item_partition, *places)
        newest = int(facts.times_ms[part].max())
        # The record's key is one of its items: all of them lie in the same logical partition.
        key = item_key(int(facts.item_ids[start]))
        yield key, make_event(identity, newest, clock, producer, item_facts_derived=said)


def facts_from_event(event: Event) -> SourcedFacts:
    """Return the facts of an event of `item_facts`.

    Raises:
        PoisonEvent: Its columns are of unequal length or of another type.
    """
    said = event.item_facts_derived
    partitions = _array(said.source_partitions, "<u4")
    count = len(partitions)
    facts = FactBatch(
        _array(said.item_ids, "<u8"),
        _array(said.kinds, "|u1"),
        _array(said.values, "<f4"),
        _array(said.occurred_at_ms, "<u8").astype(np.int64),
    )
    offsets, indices = _array(said.offsets, "<u8"), _array(said.fact_indices, "<u4")
    columns = (offsets, indices, facts.item_ids, facts.kinds, facts.values, facts.times_ms)
    if any(len(column) != count for column in columns):
        raise PoisonEvent("item facts have columns of unequal length")
    return SourcedFacts(said.source_topic, said.item_partition, partitions, offsets, indices, facts)


def row_to_event(
    item: int, group: str, state: bytes, newest_ms: int, clock: HasNow, producer: str
) -> tuple[bytes, Event]:
    """Return (key, event) of an item's state; the key names the group too, for the topic keeps one record a key."""
    # Built in one call: a batch has thousands.
    event = Event(
        event_id=event_id("item_row", item, group, state),
        occurred_at=_timestamp(newest_ms),
        recorded_at=_timestamp(clock.now_ms()),
        producer=producer,
        item_row_folded=ItemRowFolded(item_id=item, group_version=group, state=state),
    )
    return item_key(item) + group.encode(), event


def _timestamp(at_ms: int) -> Timestamp:
    seconds, rest = divmod(at_ms, 1000)
    return Timestamp(seconds=seconds, nanos=rest * 1_000_000)


def sourced(
    topic: str,
    item_partition: int,
    places: Sequence[tuple[int, int, int]],
    facts: FactBatch,
) -> SourcedFacts:
    """Return facts with their places (source partition, offset, index)."""
    partitions, offsets, indices = zip(*places, strict=True)
    return SourcedFacts(
        topic,
        item_partition,
        np.array(partitions, dtype=np.uint32),
        np.array(offsets, dtype=np.uint64),
        np.array(indices, dtype=np.uint32),
        facts,
    )


def _tensor(array: NDArray[np.generic]) -> Tensor:
    return Tensor(dtype=_DTYPES[array.dtype.str], shape=[len(array)], data=array.tobytes())


def _array(tensor: Tensor, dtype: str) -> np.ndarray:
    width = np.dtype(dtype).itemsize
    if len(tensor.shape) != 1 or tensor.shape[0] * width != len(tensor.data):
        raise PoisonEvent("a column of item facts has another length than it says")
    return np.frombuffer(tensor.data, dtype=dtype)
