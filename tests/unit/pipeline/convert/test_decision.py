"""A record survives the log bit by bit."""

from dataclasses import fields, replace

import numpy as np
import pytest
from tests.unit.pipeline.test_assemble import finished

from loopwright.api.events.v1.decision_pb2 import Funnel, SlateDecided
from loopwright.faults import CorruptRecord
from loopwright.pipeline.convert.decision import record_from_proto, record_to_proto
from loopwright.pipeline.record import CandidateTable, DecisionRecord, input_digests


def through_the_log(record: DecisionRecord) -> DecisionRecord:
    decided, funnel = record_to_proto(record)
    return record_from_proto(
        SlateDecided.FromString(decided.SerializeToString()),
        None if funnel is None else Funnel.FromString(funnel.SerializeToString()),
        surface=record.surface,
        occurred_at_ms=record.occurred_at_ms,
        versions=record.versions,
    )


def same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, CandidateTable):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))  # type: ignore[arg-type]
    return bool(one == other)


@pytest.mark.parametrize("full", [True, False])
async def test_a_record_comes_back_as_it_was(full: bool) -> None:
    _, record, _ = await finished(record_funnel=full)
    back = through_the_log(replace(record, candidates=record.candidates if full else None))
    for field in fields(DecisionRecord):
        if field.name == "candidates" and not full:
            assert back.candidates is None
        else:
            assert same(getattr(record, field.name), getattr(back, field.name)), field.name


async def test_digests_survive_the_log() -> None:
    _, record, _ = await finished(record_funnel=True)
    assert input_digests(through_the_log(record)) == record.input_digests


async def test_a_broken_record_is_named_as_such() -> None:
    _, record, _ = await finished(record_funnel=True)
    decided, funnel = record_to_proto(record)
    decided.slate_candidates.item_ids.data += b"x"
    with pytest.raises(CorruptRecord, match="item_ids"):
        record_from_proto(decided, funnel, surface="home", occurred_at_ms=1, versions=record.versions)
