"""Over real gRPC: what is sent again or late is taken once, and said to be so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from loopwright.api.exposure.v1 import exposure_service_pb2 as exposure_pb
from loopwright.api.ingest.v1 import ingest_service_pb2 as ingest_pb
from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.domain.ids import item_id
from loopwright.eventlog import ACTIONS, DECISIONS, IMPRESSIONS, LATE, ORGANIC, set_ms
from loopwright.exposure.known_ids import KnownIds
from loopwright.faults import RemoteFault
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.composition import OneProcess
from tests.mesh.served import Served, served
from tests.mesh.world import NOW_MS, dice, message

TTL_MS = 86_400_000


@pytest.fixture
async def found(mesh: OneProcess) -> AsyncIterator[Served]:
    async with served(mesh, dice()) as made:
        yield made


def action(token: str, **fields: object) -> exposure_pb.ReportActionsRequest:
    act = exposure_pb.Action(exposure_token=token, client_event_id="a1", kind=1, **fields)  # type: ignore[arg-type]
    return exposure_pb.ReportActionsRequest(actions=[act])


def engagements(mesh: OneProcess, external_id: str) -> int:
    table = mesh.services.hydration.mirror.table
    return int(table.engagements[table.rows_of(np.array([item_id(external_id)], np.uint64))][0])


async def test_a_repeated_request_id_gets_the_same_answer_and_one_record(mesh: OneProcess, found: Served) -> None:
    first = await found.recommender.Recommend(message(), timeout=20)
    again = await found.recommender.Recommend(message(), timeout=20)
    assert (first.replayed, again.replayed) == (False, True)
    again.replayed = False
    assert again == first
    assert len(mesh.broker.records(DECISIONS)) == 1


async def test_two_calls_at_once_with_one_request_id_make_one_record(mesh: OneProcess, found: Served) -> None:
    answers = await asyncio.gather(*(found.recommender.Recommend(message(), timeout=20) for _ in range(5)))
    assert len({answer.decision_id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert len(mesh.broker.records(DECISIONS)) == 1


async def test_a_request_id_is_free_again_after_a_minute_and_in_judging(
    mesh: OneProcess, found: Served, clock: FixedClock
) -> None:
    await found.recommender.Recommend(message(), timeout=20)
    judged = [await found.recommender.Recommend(message(purpose=2), timeout=20) for _ in range(2)]
    assert not any(answer.replayed for answer in judged)
    clock.advance(60_001)
    await mesh.settle()
    assert not (await found.recommender.Recommend(message(k=3), timeout=20)).replayed
    assert len(mesh.broker.records(DECISIONS)) == 4


async def test_a_duplicate_action_is_flagged_and_counted_once(mesh: OneProcess, found: Served) -> None:
    shown = (await found.recommender.Recommend(message(), timeout=20)).items[0]
    before = engagements(mesh, shown.item_id)
    receipts = [(await found.exposure.ReportActions(action(shown.exposure_token), timeout=20)).receipts for _ in "ab"]
    assert [[r.duplicate for r in receipt] for receipt in receipts] == [[False], [True]]
    assert len(mesh.broker.records(ACTIONS)) == 1
    # Another replica does not know the id: the fact is on the log twice, and the folds count it once.
    mesh.exposure.feedback._known = KnownIds(10)
    again = await found.exposure.ReportActions(action(shown.exposure_token), timeout=20)
    assert not again.receipts[0].duplicate
    await mesh.settle()
    assert len(mesh.broker.records(ACTIONS)) == 2
    assert engagements(mesh, shown.item_id) == before + 1


async def test_an_action_twice_in_one_report_counts_once(mesh: OneProcess, found: Served) -> None:
    shown = (await found.recommender.Recommend(message(), timeout=20)).items[0]
    both = action(shown.exposure_token)
    both.actions.append(both.actions[0])
    receipts = (await found.exposure.ReportActions(both, timeout=20)).receipts
    assert [receipt.duplicate for receipt in receipts] == [False, True]
    assert len(mesh.broker.records(ACTIONS)) == 1


async def test_an_expired_token_is_taken_as_late(mesh: OneProcess, found: Served, clock: FixedClock) -> None:
    shown = (await found.recommender.Recommend(message(), timeout=20)).items[0]
    clock.advance(TTL_MS)
    await mesh.settle()
    report = exposure_pb.ReportImpressionsRequest(
        client_event_id="v1", impressions=[exposure_pb.Impression(exposure_token=shown.exposure_token, seen=True)]
    )
    assert not (await found.exposure.ReportImpressions(report, timeout=20)).late
    clock.advance(1_001)
    report.client_event_id = "v2"
    assert (await found.exposure.ReportImpressions(report, timeout=20)).late
    receipt = (await found.exposure.ReportActions(action(shown.exposure_token), timeout=20)).receipts[0]
    assert receipt.late and not receipt.duplicate
    [acted] = mesh.broker.records(ACTIONS)
    assert acted.action_taken.late
    assert sorted(event.items_viewed.late for event in mesh.broker.records(IMPRESSIONS)) == [False, True]
    await mesh.settle()
    assert mesh.broker.records(LATE) == []  # its time is now: late is the token, not the fact


async def test_one_bad_token_spoils_the_whole_report(mesh: OneProcess, found: Served) -> None:
    shown = (await found.recommender.Recommend(message(), timeout=20)).items
    good = action(shown[0].exposure_token)
    good.actions.add(exposure_token=shown[1].exposure_token[:-1] + "*", client_event_id="a2", kind=1)
    with pytest.raises(RemoteFault) as caught:
        await found.exposure.ReportActions(good, timeout=20)
    assert caught.value.reason == "TOKEN_INVALID"
    assert [v.field for v in caught.value.violations] == ["actions[1].exposure_token"]
    assert mesh.broker.records(ACTIONS) == []


async def test_an_unknown_item_is_refused_by_row_and_the_others_are_kept(mesh: OneProcess, found: Served) -> None:
    before = len(mesh.broker.records(ORGANIC))
    rows = [
        ingest_pb.Interaction(user_id="u1", item_id=name, kind=1, client_event_id=f"x{n}")  # type: ignore[arg-type]
        for n, name in enumerate(("i1", "no such item", "i2"))
    ]

    async def batches() -> AsyncIterator[ingest_pb.IngestInteractionsRequest]:
        yield ingest_pb.IngestInteractionsRequest(batch=1, interactions=rows)

    answers = [answer async for answer in found.ingest.IngestInteractions(batches(), timeout=20)]
    [answer] = answers
    assert (answer.batch, answer.accepted) == (1, 2)
    assert [(r.index, r.field, r.reason) for r in answer.rejections] == [(1, "item_id", "UNKNOWN_ITEM")]
    assert len(mesh.broker.records(ORGANIC)) == before + 2


async def test_unknown_items_in_a_request_change_nothing(mesh: OneProcess, found: Served) -> None:
    strange = message(number=1, purpose=2, anchor_item_ids=["none"], exclude_item_ids=["none", "i3"])
    answer = await found.recommender.Recommend(strange, timeout=20)
    plain = await found.recommender.Recommend(message(number=2, purpose=2, exclude_item_ids=["i3"]), timeout=20)
    assert [item.item_id for item in answer.items] == [item.item_id for item in plain.items]
    assert "i3" not in {item.item_id for item in answer.items}


async def test_the_clock_is_not_set_before_the_newest_fact(mesh: OneProcess, found: Served) -> None:
    early = ingest_pb.SetClockRequest(cause="test")
    set_ms(early.mesh_time, NOW_MS - 10_000)
    with pytest.raises(RemoteFault) as caught:
        await found.ingest.SetClock(early, timeout=20)
    assert caught.value.reason == "CLOCK_REFUSED"
    assert caught.value.metadata == {"cause": "BEFORE_NEWEST", "newest_occurred_at_ms": str(NOW_MS)}


async def test_a_set_clock_is_every_services_clock(mesh: OneProcess, found: Served) -> None:
    later = ingest_pb.SetClockRequest(cause="test")
    set_ms(later.mesh_time, NOW_MS + 3_600_000)
    await found.ingest.SetClock(later, timeout=20)
    await mesh.settle()
    answer = await found.recommender.Recommend(message(), timeout=20)
    assert answer.decided_at.ToMilliseconds() == NOW_MS + 3_600_000
    assert {p.clock.now_ms() for p in mesh.services.processes.values()} == {NOW_MS + 3_600_000}


async def test_explain_reads_back_what_was_decided(mesh: OneProcess, found: Served) -> None:
    answer = await found.recommender.Recommend(message(purpose=2, record_funnel=True), timeout=20)
    told = await found.recommender.Explain(pb.ExplainRequest(decision_id=answer.decision_id), timeout=20)
    assert told.surface == "home" and told.versions == answer.versions
    names = {item_id(name): name for name in told.item_ids}
    assert [names[position.item_id] for position in told.decision.slate] == [item.item_id for item in answer.items]
    assert len(told.item_ids) * 8 == len(told.funnel.candidates.item_ids.data)
