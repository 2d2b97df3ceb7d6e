"""Records of a wanted size and the decision that exposure settles; made from a seed."""

from __future__ import annotations

import random

from loopwright.api.common.v1 import decision_pb2 as common_pb
from loopwright.api.common.v1.tensor_pb2 import DTYPE_FLOAT16, Tensor
from loopwright.api.events.v1.decision_pb2 import Candidates, SlateDecided, SlatePosition
from loopwright.domain.enums import Purpose, Scheme, Source
from loopwright.domain.ids import item_id, make_decision_id
from loopwright.eventlog import Event
from loopwright.eventlog.envelope import HasNow, make_event
from loopwright.exposure.convert import AnswerMessage
from loopwright.exposure.decision import Decision
from loopwright.pipeline.answer import Answer, RecommendedItem
from loopwright.pipeline.convert.answer import answer_to_proto
from loopwright.pipeline.convert.degradations import versions_to_proto
from loopwright.pipeline.types import Versions

SEED = 7
SIZES = {"100 B": 100, "10 KB": 10_000, "150 KB": 150_000}
"""Name -> bytes of the encoded event."""
SUBJECT = random.Random(SEED).randbytes(16)
SLATE = 20
_PLACED_BYTES = 5_000
"""From this size on a record has a slate; smaller ones only the decision's id."""


def record_event(size: int, clock: HasNow, replica: str) -> Event:
    """Return a SLATE_DECIDED event of `size` encoded bytes, give or take a few."""
    body = SlateDecided(decision_id=b"d" * 16)
    if size >= _PLACED_BYTES:
        body.slate.extend(
            SlatePosition(
                item_id=item_id(f"item-{place}"),
                position=place + 1,
                pre_swap_rank=place + 1,
                p_shown=0.99,
                p_position=0.99,
                scheme=common_pb.SCHEME_RANKED,
                support=True,
            )
            for place in range(SLATE)
        )
    event = make_event(b"e" * 16, clock.now_ms(), clock, "exposure", surface="home", slate_decided=body)
    event.replica = replica
    missing = size - event.ByteSize()
    if missing > 0:
        data = random.Random(SEED).randbytes(max(0, missing - 16))
        columns = Tensor(dtype=DTYPE_FLOAT16, shape=[1, len(data) // 2], data=data)
        event.slate_decided.slate_candidates.CopyFrom(Candidates(item_columns=columns))
    return event


def decision(number: int, size: int, clock: HasNow) -> Decision:
    """Return decision `number`: a served slate of 20 items whose record has about `size` bytes."""
    now_ms = clock.now_ms()
    decision_id = make_decision_id(now_ms, SUBJECT, number.to_bytes(9, "big"))
    body = record_event(size, clock, "").slate_decided
    body.decision_id = decision_id
    versions = Versions(policy_version="p" * 64)
    items = tuple(
        RecommendedItem(f"item-{place}", place + 1, (Source.TWO_TOWER,), 0.99, 0.99, Scheme.RANKED)
        for place in range(SLATE)
    )
    return Decision(
        decision_id=decision_id,
        subject=SUBJECT,
        request_id=f"r-{now_ms}-{number}",
        request_hash=b"h" * 16,
        purpose=Purpose.SERVE,
        surface="home",
        occurred_at_ms=now_ms,
        shown=tuple(item_id(item.external_id) for item in items),
        answer=AnswerMessage(answer_to_proto(Answer(decision_id, versions, "control", items, (), now_ms))),
        versions=versions_to_proto(versions).SerializeToString(),
        body=body.SerializeToString(),
        funnel=None,
    )
