from __future__ import annotations

from dataclasses import replace

import pytest

from loopwright.api.exposure.v1.ledger_service_pb2 import RecordDecisionRequest
from loopwright.domain.enums import DegradationReason, Purpose, Stage
from loopwright.exposure.convert import (
    claim_of,
    decision_from_proto,
    decision_from_record,
    funnel_events,
    is_claim,
    packed_answer,
    slate_event,
    stored_answer,
)
from loopwright.faults import CorruptRecord, InvalidRequest
from loopwright.pipeline.convert.answer import answer_to_proto
from loopwright.pipeline.convert.decision import record_to_proto
from loopwright.pipeline.convert.degradations import degradations_from_proto
from loopwright.pipeline.convert.parsing import timestamp
from loopwright.pipeline.types import Degradation


def message(record, answer) -> RecordDecisionRequest:
    body, funnel = record_to_proto(record)
    return RecordDecisionRequest(
        decision=body,
        funnel=funnel,
        answer=answer_to_proto(answer),
        surface=record.surface,
        occurred_at=timestamp(record.occurred_at_ms),
    )


@pytest.mark.parametrize("funnel", [True, False])
def test_a_decision_is_the_same_over_the_wire_and_in_one_process(decided, funnel):
    record, answer = decided(funnel=funnel)
    wire = RecordDecisionRequest.FromString(message(record, answer).SerializeToString())
    assert decision_from_proto(wire) == decision_from_record(record, answer)


def broken(request: RecordDecisionRequest, how: str) -> RecordDecisionRequest:
    if how == "decision":
        request.decision.decision_id = b"short"
    elif how == "decision.decision_id":
        raw = request.decision.decision_id
        request.decision.decision_id = raw[:6] + bytes([raw[6] ^ 1]) + raw[7:]
    elif how == "answer.decision_id":
        request.answer.decision_id = "0" * 32
    elif how == "decision.request.request_hash":
        request.decision.request.request_hash = b""
    elif how == "answer.items":
        del request.answer.items[1]
    elif how == "decision.request.purpose":
        request.decision.request.purpose = 0
    return request


@pytest.mark.parametrize(
    "field",
    [
        "decision",
        "decision.decision_id",
        "answer.decision_id",
        "decision.request.request_hash",
        "answer.items",
        "decision.request.purpose",
    ],
)
def test_a_record_that_contradicts_itself_is_refused_by_the_name_of_its_field(decided, field):
    with pytest.raises(InvalidRequest) as refused:
        decision_from_proto(broken(message(*decided()), field))
    assert refused.value.violations[0].field == field


def test_notes_join_the_degradations_that_the_record_has(decided, clock):
    record, answer = decided()
    first = Degradation(Stage.RANK, DegradationReason.TIMEOUT)
    second = Degradation(Stage.RECORD, DegradationReason.IDEMPOTENCY_UNCHECKED)
    decision = decision_from_record(replace(record, degradations=(first,)), answer)
    event = slate_event(decision, [second], 3, clock)
    assert degradations_from_proto(event.slate_decided.degradations) == (first, second)
    assert event.slate_decided.funnel_chunks == 3


def test_a_decisions_events_have_the_same_ids_whenever_they_are_made(decided, clock):
    decision = decision_from_record(*decided(funnel=True))
    once = [slate_event(decision, [], 2, clock), *funnel_events(decision, [b"x", b"y"], clock)]
    clock.ms += 1000
    again = [slate_event(decision, [], 2, clock), *funnel_events(decision, [b"x", b"y"], clock)]
    assert [e.event_id for e in once] == [e.event_id for e in again]
    assert len({e.event_id for e in once}) == 3


def test_a_stored_answer_comes_back_marked_as_replayed(decided):
    _, answer = decided(purpose=Purpose.SERVE)
    packed = packed_answer(b"h" * 16, answer)
    assert packed is not None
    stored = stored_answer(packed)
    assert stored.request_hash == b"h" * 16
    assert stored.answer.replayed
    assert stored.answer.items == answer.items


def test_a_claim_and_an_answer_are_told_apart(decided):
    record, answer = decided()
    packed = packed_answer(b"\0" * 16, answer)
    assert packed is not None and not is_claim(packed)
    decision = decision_from_record(record, answer)
    assert is_claim(claim_of(decision))
    assert claim_of(decision) != claim_of(replace(decision, decision_id=b"o" * 16))
    assert not is_claim(b"")


def test_a_damaged_stored_answer_is_corrupt(decided):
    packed = packed_answer(b"h" * 16, decided()[1])
    assert packed is not None
    with pytest.raises(CorruptRecord):
        stored_answer(packed[:-3])
