"""Explain finds a decision by its id alone, whole or not at all."""

from dataclasses import replace

import pytest
import zstandard
from tests.unit.pipeline.test_assemble import finished
from tests.unit.pipeline.test_runner import soon

from loopwright.api.events.v1.decision_pb2 import FunnelChunk
from loopwright.domain.ids import make_decision_id
from loopwright.eventlog import DECISIONS, FUNNELS, MemoryBroker, MemoryEventLog, make_event
from loopwright.faults import CorruptRecord, DecisionNotFound
from loopwright.lifecycle import FixedClock
from loopwright.pipeline.convert.decision import record_to_proto
from loopwright.recommender.explain import DecisionReader
from loopwright.rpc import Deadline

WALL = 1_700_000_000_000


async def logged(broker: MemoryBroker, *, parts: int = 2, drop: int = -1):  # type: ignore[no-untyped-def]
    _, record, _ = await finished(record_funnel=True)
    record = replace(record, decision_id=make_decision_id(WALL, record.request.subject, b"123456789"))
    decided, funnel = record_to_proto(record)
    assert funnel is not None
    log, clock = MemoryEventLog(broker, producer="exposure"), FixedClock(WALL)
    packed = zstandard.ZstdCompressor().compress(funnel.SerializeToString())
    size = -(-len(packed) // parts)
    for index in range(parts):
        if index == drop:
            continue
        chunk = FunnelChunk(
            decision_id=record.decision_id,
            subject=record.request.subject,
            index=index,
            count=parts,
            data=packed[index * size : (index + 1) * size],
        )
        event = make_event(bytes([index]) * 16, WALL, clock, "exposure", funnel_chunk=chunk)
        await log.append(FUNNELS, record.request.subject, event, deadline=Deadline.after(5))
    decided.funnel_chunks = parts
    event = make_event(b"e" * 16, WALL, clock, "exposure", surface="home", slate_decided=decided)
    await log.append(DECISIONS, record.request.subject, event, deadline=Deadline.after(5))
    return record, funnel


def reader(broker: MemoryBroker) -> DecisionReader:
    return DecisionReader(MemoryEventLog(broker, producer="recommender"), 60.0)


async def test_a_decision_is_read_back_with_its_funnel() -> None:
    broker = MemoryBroker(wall_ms=lambda: WALL)
    record, funnel = await logged(broker)
    found = await reader(broker).read(record.decision_id, soon())
    assert found.event.slate_decided.decision_id == record.decision_id
    assert found.funnel == funnel


async def test_a_missing_part_of_the_funnel_is_named() -> None:
    broker = MemoryBroker(wall_ms=lambda: WALL)
    record, _ = await logged(broker, drop=1)
    with pytest.raises(CorruptRecord, match="1 of 2"):
        await reader(broker).read(record.decision_id, soon())


@pytest.mark.parametrize("left", [0, 1])
async def test_of_a_decision_older_than_the_funnels_on_the_log_the_slate_is_left(left: int) -> None:
    broker = MemoryBroker(wall_ms=lambda: WALL)
    record, _ = await logged(broker)
    [(place, end)] = [(p, broker.end(p)) for p in [("funnels", n) for n in range(4)] if broker.end(p)]
    broker.delete_before({place: end - left})
    found = await reader(broker).read(record.decision_id, soon())
    assert found.event.slate_decided.decision_id == record.decision_id
    assert found.funnel is None


async def test_an_id_that_was_never_made_is_not_found() -> None:
    broker = MemoryBroker(wall_ms=lambda: WALL)
    record, _ = await logged(broker)
    other = record.decision_id[:7] + b"987654321"
    with pytest.raises(DecisionNotFound):
        await reader(broker).read(other, soon())
