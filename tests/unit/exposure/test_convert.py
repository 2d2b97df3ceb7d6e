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
    settled_to_proto,
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
    elif how == "items[1].sources":
        request.answer.items[1].sources.append(99)
    elif how == "items[0].scheme":
        request.answer.items[0].scheme = 99
    elif how == "degradations[0].stage":
        request.answer.degradations.add(stage=99)
    elif how == "decided_at":
        request.answer.decided_at.seconds = -1
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
        "items[1].sources",
        "items[0].scheme",
        "degradations[0].stage",
        "decided_at",
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
    record, answer = decided(purpose=Purpose.SERVE)
    packed = decision_from_record(record, answer).answer.packed(b"h" * 16)
    assert packed is not None
    request_hash, stored = stored_answer(packed)
    assert request_hash == b"h" * 16
    assert stored.answer() == replace(answer, replayed=True)


def test_what_is_written_into_a_waiting_answer_is_told_and_kept(decided):
    decision = decision_from_record(*decided())
    note = Degradation(Stage.RECORD, DegradationReason.IDEMPOTENCY_UNCHECKED)
    decision.answer.sign(["first", "second"])
    decision.answer.note([note])
    told = settled_to_proto(decision.answer).answer
    assert [item.exposure_token for item in told.items] == ["first", "second"]
    assert degradations_from_proto(told.degradations) == (note,)
    packed = decision.answer.packed(b"h" * 16)
    assert packed is not None and stored_answer(packed)[1].answer().items == decision.answer.answer().items


def test_a_claim_and_an_answer_are_told_apart(decided):
    record, answer = decided()
    decision = decision_from_record(record, answer)
    packed = decision.answer.packed(b"\0" * 16)
    assert packed is not None and not is_claim(packed)
    assert is_claim(claim_of(decision))
    assert claim_of(decision) != claim_of(replace(decision, decision_id=b"o" * 16))
    assert not is_claim(b"")


def test_a_damaged_stored_answer_is_corrupt(decided):
    packed = decision_from_record(*decided()).answer.packed(b"h" * 16)
    assert packed is not None
    with pytest.raises(CorruptRecord):
        stored_answer(packed[:-3])
