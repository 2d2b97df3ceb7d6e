from __future__ import annotations

from contextlib import asynccontextmanager
from types import SimpleNamespace

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from loopwright.api.events.v1.feedback_pb2 import ActionKind
from loopwright.api.exposure.v1 import exposure_service_pb2 as pb
from loopwright.api.exposure.v1 import ledger_service_pb2 as ledger_pb
from loopwright.api.exposure.v1.exposure_service_pb2_grpc import (
    ExposureServiceStub,
    add_ExposureServiceServicer_to_server,
)
from loopwright.api.exposure.v1.ledger_service_pb2_grpc import (
    LedgerServiceStub,
    add_LedgerServiceServicer_to_server,
)
from loopwright.eventlog import ACTIONS, DECISIONS, IMPRESSIONS
from loopwright.exposure.feedback import Feedback
from loopwright.exposure.known_ids import KnownIds
from loopwright.exposure.servicer import ExposureServicer, LedgerServicer
from loopwright.faults import LogUnavailable, RemoteFault
from loopwright.pipeline.convert.answer import answer_to_proto
from loopwright.pipeline.convert.decision import record_to_proto
from loopwright.pipeline.convert.parsing import timestamp
from loopwright.rpc import Mount, RpcSettings, open_channel, serving
from loopwright.store import keys

pytestmark = pytest.mark.integration


@pytest.fixture
async def mesh(ledger, appender, ring, clock):
    """Both services behind a real server, and stubs of them."""
    feedback = Feedback(appender, ring, clock, KnownIds(100))
    mounts = [
        Mount(add_LedgerServiceServicer_to_server, LedgerServicer(ledger)),
        Mount(add_ExposureServiceServicer_to_server, ExposureServicer(feedback)),
    ]
    async with serving(mounts, RpcSettings()) as server, open_channel(server.target) as channel:
        yield SimpleNamespace(
            ledger=LedgerServiceStub(channel), exposure=ExposureServiceStub(channel), target=server.target
        )


@asynccontextmanager
async def refused(kind: str, reason: str, field: str = ""):
    with pytest.raises(RemoteFault) as error:
        yield
    assert (error.value.kind.name, error.value.reason) == (kind, reason)
    if field:
        assert field in [v.field for v in error.value.violations]


def request(record, answer):
    body, funnel = record_to_proto(record)
    return ledger_pb.RecordDecisionRequest(
        decision=body,
        funnel=funnel,
        answer=answer_to_proto(answer),
        surface=record.surface,
        occurred_at=timestamp(record.occurred_at_ms),
    )


@pytest.fixture
async def tokens(mesh, decided):
    answered = await mesh.ledger.RecordDecision(request(*decided(funnel=True)), timeout=5)
    return [item.exposure_token for item in answered.answer.items]


def act(token, client_event_id="c-1", **fields):
    fields.setdefault("kind", ActionKind.ACTION_KIND_CLICK)
    return pb.Action(exposure_token=token, client_event_id=client_event_id, **fields)


async def test_a_recorded_decision_is_answered_with_tokens_that_feedback_can_present(mesh, broker, tokens):
    viewed = await mesh.exposure.ReportImpressions(
        pb.ReportImpressionsRequest(
            client_event_id="v-1",
            impressions=[pb.Impression(exposure_token=t, view_time=Duration(seconds=2), seen=True) for t in tokens],
        ),
        timeout=5,
    )
    assert (viewed.duplicate, viewed.late) == (False, False)
    acted = await mesh.exposure.ReportActions(pb.ReportActionsRequest(actions=[act(tokens[0])]), timeout=5)
    assert [(r.duplicate, r.late) for r in acted.receipts] == [(False, False)]
    assert len(broker.records(DECISIONS)) == 1
    assert len(broker.records(IMPRESSIONS)[0].items_viewed.items) == 2
    assert broker.records(ACTIONS)[0].action_taken.value == 1.0


async def test_a_repeated_request_id_is_answered_with_the_first_slate(mesh, decided):
    first = await mesh.ledger.RecordDecision(request(*decided(entropy=b"1" * 9)), timeout=5)
    again = await mesh.ledger.RecordDecision(request(*decided(entropy=b"2" * 9)), timeout=5)
    assert again.answer.replayed
    assert again.answer.decision_id == first.answer.decision_id


async def test_a_request_id_of_another_request_is_refused(mesh, decided):
    await mesh.ledger.RecordDecision(request(*decided(request_hash=b"1" * 16)), timeout=5)
    async with refused("INVALID_ARGUMENT", "REQUEST_ID_REUSED"):
        await mesh.ledger.RecordDecision(request(*decided(request_hash=b"2" * 16)), timeout=5)


async def test_a_record_that_contradicts_its_answer_is_refused(mesh, decided):
    wrong = request(*decided())
    wrong.answer.decision_id = "0" * 32
    async with refused("INVALID_ARGUMENT", "INVALID_REQUEST", "answer.decision_id"):
        await mesh.ledger.RecordDecision(wrong, timeout=5)


async def test_without_the_log_there_is_no_slate_and_no_receipt(mesh, broker, decided, tokens):
    broker.outage = LogUnavailable()
    async with refused("UNAVAILABLE", "LOG_UNAVAILABLE"):
        await mesh.ledger.RecordDecision(request(*decided(request_id="r-2")), timeout=5)
    async with refused("UNAVAILABLE", "LOG_UNAVAILABLE"):
        await mesh.exposure.ReportActions(pb.ReportActionsRequest(actions=[act(tokens[0])]), timeout=5)


async def test_a_repeated_action_and_report_are_told(mesh, tokens):
    report = pb.ReportImpressionsRequest(
        client_event_id="v-1", impressions=[pb.Impression(exposure_token=tokens[0], seen=True)]
    )
    told = [await mesh.exposure.ReportImpressions(report, timeout=5) for _ in range(2)]
    assert [t.duplicate for t in told] == [False, True]
    batch = pb.ReportActionsRequest(actions=[act(tokens[0])])
    receipts = [await mesh.exposure.ReportActions(batch, timeout=5) for _ in range(2)]
    assert [r.receipts[0].duplicate for r in receipts] == [False, True]


async def test_an_expired_token_is_taken_and_flagged_as_late(mesh, clock, tokens):
    clock.ms += 3_600_001
    acted = await mesh.exposure.ReportActions(pb.ReportActionsRequest(actions=[act(tokens[0])]), timeout=5)
    assert acted.receipts[0].late


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"exposure_token": ""}, "INVALID_REQUEST", "actions[0].exposure_token"),
        ({"exposure_token": "nonsense"}, "TOKEN_INVALID", "actions[0].exposure_token"),
        ({"client_event_id": ""}, "INVALID_REQUEST", "actions[0].client_event_id"),
        ({"client_event_id": "x" * 65}, "INVALID_REQUEST", "actions[0].client_event_id"),
        ({"kind": 0}, "INVALID_REQUEST", "actions[0].kind"),
        ({"kind": 99}, "INVALID_REQUEST", "actions[0].kind"),
        ({"value": float("nan")}, "INVALID_REQUEST", "actions[0].value"),
        ({"occurred_at": timestamp(1_700_000_000_001)}, "INVALID_REQUEST", "actions[0].occurred_at"),
    ],
)
async def test_a_bad_action_is_refused_with_reason_and_field(mesh, broker, tokens, change, reason, field):
    fields = {"exposure_token": tokens[0], "client_event_id": "c-1", "kind": 1, **change}
    async with refused("INVALID_ARGUMENT", reason, field):
        await mesh.exposure.ReportActions(pb.ReportActionsRequest(actions=[pb.Action(**fields)]), timeout=5)
    assert broker.records(ACTIONS) == []


async def test_tokens_of_two_decisions_in_one_report_are_refused(mesh, decided, tokens):
    other = await mesh.ledger.RecordDecision(request(*decided(request_id="r-2", entropy=b"2" * 9)), timeout=5)
    both = [tokens[0], other.answer.items[0].exposure_token]
    async with refused("INVALID_ARGUMENT", "INVALID_REQUEST", "impressions[1].exposure_token"):
        await mesh.exposure.ReportImpressions(
            pb.ReportImpressionsRequest(
                client_event_id="v-1", impressions=[pb.Impression(exposure_token=t) for t in both]
            ),
            timeout=5,
        )


@pytest.mark.parametrize("count", [0, 201])
async def test_a_report_or_batch_of_no_or_too_many_entries_is_refused(mesh, tokens, count):
    async with refused("INVALID_ARGUMENT", "INVALID_REQUEST", "impressions"):
        await mesh.exposure.ReportImpressions(
            pb.ReportImpressionsRequest(
                client_event_id="v-1", impressions=[pb.Impression(exposure_token=tokens[0])] * count
            ),
            timeout=5,
        )
    async with refused("INVALID_ARGUMENT", "INVALID_REQUEST", "actions"):
        await mesh.exposure.ReportActions(pb.ReportActionsRequest(actions=[act(tokens[0])] * count), timeout=5)


async def test_a_call_without_deadline_is_refused(mesh, tokens):
    async with grpc.aio.insecure_channel(mesh.target) as bare:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await ExposureServiceStub(bare).ReportActions(pb.ReportActionsRequest(actions=[act(tokens[0])]))
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_message_that_does_not_decode_or_is_too_large_is_refused(mesh):
    async with grpc.aio.insecure_channel(mesh.target) as bare:
        method = bare.unary_unary("/loopwright.api.exposure.v1.ExposureService/ReportActions")
        with pytest.raises(grpc.aio.AioRpcError) as malformed:
            await method(b"\xff\xff\xff", timeout=5)
        with pytest.raises(grpc.aio.AioRpcError) as oversized:
            await method(b"\0" * (4 * 1024 * 1024 + 1), timeout=5)
    assert malformed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert oversized.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_slate_is_guarded_for_its_user(mesh, tokens, redis, namespace, sample):
    assert await redis.zcard(keys.recent(sample.subject, namespace)) == len(tokens)
