"""Messages to domain values and domain values to events; proto types of this service stop here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from loopwright.api.common.v1.decision_pb2 import Versions
from loopwright.api.events.v1 import decision_pb2, feedback_pb2
from loopwright.api.exposure.v1 import exposure_service_pb2 as pb
from loopwright.api.exposure.v1 import ledger_service_pb2 as ledger_pb
from loopwright.api.recommender.v1.recommender_service_pb2 import RecommendResponse
from loopwright.domain.enums import SCHEMES, SOURCES, ActionKind, Purpose
from loopwright.domain.ids import (
    DECISION_BYTES,
    SUBJECT_BYTES,
    decision_partition,
    event_id,
    logical_partition,
)
from loopwright.eventlog import Event
from loopwright.eventlog.envelope import HasNow, make_event
from loopwright.exposure.decision import Decision, WaitingAnswer
from loopwright.exposure.reports import Act, Receipt, View, Viewed
from loopwright.exposure.tokens import Claims
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.convert.answer import (
    HASH_BYTES,
    answer_from_proto,
    answer_to_proto,
    is_pending,
    pack_pending,
    pack_stored,
    unpack_message,
)
from loopwright.pipeline.convert.decision import record_to_proto
from loopwright.pipeline.convert.degradations import degradations_to_proto, versions_to_proto
from loopwright.pipeline.convert.parsing import invalid, milliseconds, number, parse_enum
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.types import Degradation

PRODUCER = "exposure"


@dataclass(frozen=True, slots=True)
class AnswerMessage:
    """A `WaitingAnswer` that is a message and stays one; a slate's values would cost more than all else here.

    Attributes:
        message: This answer's own.
    """

    message: RecommendResponse

    @property
    def decision_id(self) -> bytes:
        """See `WaitingAnswer.decision_id`."""
        return bytes.fromhex(self.message.decision_id)

    @property
    def positions(self) -> list[int]:
        """See `WaitingAnswer.positions`."""
        return [item.position for item in self.message.items]

    def sign(self, tokens: Iterable[str]) -> None:
        """See `WaitingAnswer.sign`."""
        for item, token in zip(self.message.items, tokens, strict=True):
            item.exposure_token = token

    def note(self, notes: Iterable[Degradation]) -> None:
        """See `WaitingAnswer.note`."""
        self.message.degradations.extend(degradations_to_proto(tuple(notes)))

    def packed(self, request_hash: bytes) -> bytes | None:
        """See `WaitingAnswer.packed`."""
        return pack_stored(request_hash, self.message)

    def answer(self) -> Answer:
        """See `WaitingAnswer.answer`."""
        return answer_from_proto(self.message)


def decision_from_proto(request: ledger_pb.RecordDecisionRequest) -> Decision:
    """Return the decision of a request.

    Raises:
        InvalidRequest: Record and answer are malformed or contradict each other.
    """
    record, asked = request.decision, request.decision.request
    if len(record.decision_id) != DECISION_BYTES or len(asked.subject) != SUBJECT_BYTES:
        raise invalid("decision", "bytes.len", "decision_id and subject must be 16 bytes")
    if decision_partition(record.decision_id) != logical_partition(asked.subject):
        raise invalid("decision.decision_id", "partition", "must carry the subject's logical partition")
    if request.answer.decision_id != record.decision_id.hex():
        raise invalid("answer.decision_id", "same_decision", "must be the record's")
    if len(asked.request_hash) != HASH_BYTES:
        raise invalid("decision.request.request_hash", "bytes.len", f"must be {HASH_BYTES} bytes")
    shown = _shown(record, request.answer)
    milliseconds(request.answer.decided_at, "decided_at")
    return Decision(
        decision_id=record.decision_id,
        subject=asked.subject,
        request_id=asked.request_id,
        request_hash=asked.request_hash,
        purpose=parse_enum(Purpose, asked.purpose, "decision.request.purpose"),
        surface=request.surface,
        occurred_at_ms=milliseconds(request.occurred_at, "occurred_at"),
        shown=shown,
        answer=AnswerMessage(request.answer),
        versions=request.answer.versions.SerializeToString(),
        body=record.SerializeToString(),
        funnel=request.funnel.SerializeToString() if request.HasField("funnel") else None,
    )


def _shown(record: decision_pb2.SlateDecided, answer: RecommendResponse) -> tuple[int, ...]:
    """Return the slate's item ids, in one pass over record and answer: a slate's values would cost as much again.

    Raises:
        InvalidRequest: The answer stands at other positions, or holds an enumeration that this build does not know.
    """
    items, slate = answer.items, record.slate
    same, known, shown = len(items) == len(slate), True, []
    for item, place in zip(items, slate, strict=False):
        same = same and item.position == place.position
        known = known and item.scheme in SCHEMES and SOURCES.keys() >= set(item.sources)
        shown.append(place.item_id)
    if not same:
        raise invalid("answer.items", "same_slate", "must stand at the positions of the record's slate")
    if not known or answer.degradations:
        answer_from_proto(answer)  # names the field
    return tuple(shown)


def decision_from_record(record: DecisionRecord, answer: Answer) -> Decision:
    """Return the decision of a record that never left the process."""
    body, funnel = record_to_proto(record)
    return Decision(
        decision_id=record.decision_id,
        subject=record.request.subject,
        request_id=record.request.request_id,
        request_hash=record.request.request_hash,
        purpose=record.request.purpose,
        surface=record.surface,
        occurred_at_ms=record.occurred_at_ms,
        shown=tuple(place.item_id for place in record.slate),
        answer=AnswerMessage(answer_to_proto(answer)),
        versions=versions_to_proto(answer.versions).SerializeToString(),
        body=body.SerializeToString(),
        funnel=None if funnel is None else funnel.SerializeToString(),
    )


def stored_answer(packed: bytes) -> tuple[bytes, WaitingAnswer]:
    """Return the request hash and the answer of a stored form, marked as replayed.

    Raises:
        CorruptRecord: The bytes are no stored answer.
    """
    request_hash, message = unpack_message(packed)
    return request_hash, AnswerMessage(message)


def claim_of(decision: Decision) -> bytes:
    """Return what stands for an answer until its record is durable."""
    return pack_pending(decision.request_hash, decision.decision_id)


def is_claim(stored: bytes) -> bool:
    """Say whether the bytes are a claim and not an answer."""
    return is_pending(stored)


def settled_to_proto(answer: WaitingAnswer) -> ledger_pb.RecordDecisionResponse:
    """Return the answer to give as a response."""
    assert isinstance(answer, AnswerMessage)  # every one is made here
    return ledger_pb.RecordDecisionResponse(answer=answer.message)


def slate_event(decision: Decision, notes: Sequence[Degradation], funnel_chunks: int, clock: HasNow) -> Event:
    """Return the record's event, `notes` added to its degradations."""
    body = decision_pb2.SlateDecided.FromString(decision.body)
    body.degradations.extend(degradations_to_proto(notes))
    body.funnel_chunks = funnel_chunks
    return make_event(
        event_id("SLATE_DECIDED", decision.decision_id),
        decision.occurred_at_ms,
        clock,
        PRODUCER,
        surface=decision.surface,
        versions=Versions.FromString(decision.versions),
        slate_decided=body,
    )


def funnel_events(decision: Decision, parts: Sequence[bytes], clock: HasNow) -> list[Event]:
    """Return the funnel's events, in the order of the parts."""
    versions = Versions.FromString(decision.versions)
    return [
        make_event(
            event_id("FUNNEL_CHUNK", decision.decision_id, index),
            decision.occurred_at_ms,
            clock,
            PRODUCER,
            surface=decision.surface,
            versions=versions,
            funnel_chunk=decision_pb2.FunnelChunk(
                decision_id=decision.decision_id,
                subject=decision.subject,
                index=index,
                count=len(parts),
                data=part,
            ),
        )
        for index, part in enumerate(parts)
    ]


def views_from_proto(request: pb.ReportImpressionsRequest) -> list[View]:
    """Return the items of a report."""
    return [
        View(i.exposure_token, round(i.view_time.ToTimedelta() / timedelta(milliseconds=1)), i.seen)
        for i in request.impressions
    ]


def viewed_to_proto(receipt: Receipt) -> pb.ReportImpressionsResponse:
    """Return a report's receipt as a response."""
    return pb.ReportImpressionsResponse(duplicate=receipt.duplicate, late=receipt.late)


def acts_from_proto(request: pb.ReportActionsRequest) -> list[Act]:
    """Return the acts of a batch.

    Raises:
        InvalidRequest: A kind that this build does not know, or a time out of range.
    """
    return [
        Act(
            token=action.exposure_token,
            client_event_id=action.client_event_id,
            kind=parse_enum(ActionKind, action.kind, f"actions[{i}].kind"),
            value=action.value if action.HasField("value") else 1.0,
            occurred_at_ms=milliseconds(action.occurred_at, f"actions[{i}].occurred_at")
            if action.HasField("occurred_at")
            else None,
        )
        for i, action in enumerate(request.actions)
    ]


def acted_to_proto(receipts: Sequence[Receipt]) -> pb.ReportActionsResponse:
    """Return a batch's receipts as a response."""
    return pb.ReportActionsResponse(receipts=[pb.ActionReceipt(duplicate=r.duplicate, late=r.late) for r in receipts])


def viewed_event(
    identity: bytes, client_event_id: str, viewed: Sequence[Viewed], late: bool, now_ms: int, clock: HasNow
) -> Event:
    """Return the event of a report; all items are of one decision."""
    first = viewed[0].claims
    items = []
    for view in viewed:
        item = feedback_pb2.ViewedItem(item_id=view.claims.item_id, position=view.claims.position, seen=view.seen)
        item.view_time.FromMilliseconds(view.view_ms)
        items.append(item)
    return make_event(
        identity,
        now_ms,
        clock,
        PRODUCER,
        surface=first.surface,
        client_event_id=client_event_id,
        items_viewed=feedback_pb2.ItemsViewed(
            decision_id=first.decision_id, subject=first.subject, items=items, late=late
        ),
    )


def action_event(
    identity: bytes, act: Act, claims: Claims, when_ms: int, *, late: bool, liked: bool, clock: HasNow
) -> Event:
    """Return the event of one act."""
    return make_event(
        identity,
        when_ms,
        clock,
        PRODUCER,
        surface=claims.surface,
        client_event_id=act.client_event_id,
        action_taken=feedback_pb2.ActionTaken(
            decision_id=claims.decision_id,
            subject=claims.subject,
            item_id=claims.item_id,
            position=claims.position,
            kind=number(act.kind),
            value=act.value,
            liked=liked,
            late=late,
        ),
    )
