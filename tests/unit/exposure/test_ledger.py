from __future__ import annotations

import asyncio

import pytest

from loopwright.domain.enums import Purpose
from loopwright.domain.ids import event_id, item_id
from loopwright.eventlog import DECISIONS, FUNNELS, ms_of
from loopwright.exposure.ledger import UNCHECKED
from loopwright.exposure.tokens import verify
from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout, LogUnavailable, RequestIdReused
from loopwright.pipeline.convert.degradations import degradations_from_proto
from loopwright.pipeline.convert.funnel import unpack_funnel

pytestmark = pytest.mark.integration


class AwayAnswers:
    """A store that fails every claim."""

    def __init__(self, fault) -> None:
        self.fault = fault
        self.forgotten: list[str] = []

    async def claim(self, subject, request_id, packed, deadline):
        raise self.fault()

    async def forget(self, subject, request_id):
        self.forgotten.append(request_id)


async def test_a_served_slate_carries_a_token_for_each_of_its_items(ledger, ring, decided, deadline, sample):
    record, answer = decided()
    settled = await ledger.record(record, answer, deadline)
    claims = [verify(item.exposure_token, ring) for item in settled.items]
    assert [(c.item_id, c.position) for c in claims] == [(item_id("a"), 1), (item_id("b"), 2)]
    assert {(c.decision_id, c.subject, c.surface) for c in claims} == {(record.decision_id, sample.subject, "home")}
    assert {c.expires_at_s for c in claims} == {sample.now_ms // 1000 + 3600}


@pytest.mark.parametrize("purpose", [Purpose.EVALUATE, Purpose.SHADOW, Purpose.SIMULATE])
async def test_nothing_but_a_served_slate_carries_tokens(ledger, broker, decided, deadline, purpose):
    settled = await ledger.record(*decided(purpose=purpose), deadline)
    assert [item.exposure_token for item in settled.items] == ["", ""]
    assert len(broker.records(DECISIONS)) == 1


async def test_the_record_is_on_the_log_with_versions_surface_and_mesh_time(ledger, broker, decided, deadline, sample):
    record, answer = decided()
    await ledger.record(record, answer, deadline)
    (event,) = broker.records(DECISIONS)
    assert event.slate_decided.decision_id == record.decision_id
    assert event.event_id == event_id("SLATE_DECIDED", record.decision_id)
    assert (event.surface, ms_of(event.occurred_at)) == ("home", sample.now_ms)
    assert event.versions.ranker_version == "r" * 64
    assert event.slate_decided.funnel_chunks == 0


async def test_the_funnel_stands_on_the_log_before_its_slate_and_reads_back(
    ledger, broker, appender, decided, deadline
):
    record, answer = decided(funnel=True)
    await ledger.record(record, answer, deadline)
    assert appender.topics == [FUNNELS.name, DECISIONS.name]
    chunks = [event.funnel_chunk for event in broker.records(FUNNELS)]
    (slate,) = broker.records(DECISIONS)
    assert slate.slate_decided.funnel_chunks == len(chunks) == chunks[0].count
    funnel = unpack_funnel(chunk.data for chunk in sorted(chunks, key=lambda c: c.index))
    assert funnel.candidates.item_ids.data == record.slate_candidates.item_ids.tobytes()


async def test_a_repeated_request_id_gets_the_first_answer_and_appends_nothing(ledger, broker, decided, deadline):
    first = await ledger.record(*decided(entropy=b"1" * 9), deadline)
    again = await ledger.record(*decided(entropy=b"2" * 9), deadline)
    assert again.replayed
    assert (again.decision_id, again.items) == (first.decision_id, first.items)
    assert len(broker.records(DECISIONS)) == 1


async def test_of_calls_at_once_with_one_request_id_one_decides(ledger, broker, decided, deadline):
    settled = await asyncio.gather(*(ledger.record(*decided(entropy=bytes([i]) * 9), deadline) for i in range(5)))
    assert len({answer.decision_id for answer in settled}) == 1
    assert [answer.replayed for answer in settled].count(False) == 1
    assert len(broker.records(DECISIONS)) == 1


async def test_a_request_id_of_another_request_is_refused(ledger, broker, decided, deadline):
    await ledger.record(*decided(request_hash=b"1" * 16), deadline)
    with pytest.raises(RequestIdReused):
        await ledger.record(*decided(request_hash=b"2" * 16), deadline)
    assert len(broker.records(DECISIONS)) == 1


async def test_judging_takes_no_part_in_idempotency(ledger, broker, decided, deadline):
    for entropy in (b"1" * 9, b"2" * 9):
        settled = await ledger.record(*decided(purpose=Purpose.EVALUATE, entropy=entropy), deadline)
        assert not settled.replayed
    assert len(broker.records(DECISIONS)) == 2


async def test_a_failed_append_gives_no_slate_and_frees_the_request_id(ledger, broker, decided, deadline):
    broker.outage = LogUnavailable()
    with pytest.raises(LogUnavailable):
        await ledger.record(*decided(), deadline)
    broker.outage = None
    settled = await ledger.record(*decided(), deadline)
    assert not settled.replayed


async def test_a_failed_funnel_leaves_no_slate_on_the_log(ledger, broker, decided, deadline):
    broker.outage = LogUnavailable()
    with pytest.raises(LogUnavailable):
        await ledger.record(*decided(funnel=True), deadline)
    assert broker.records(DECISIONS) == []


@pytest.mark.parametrize("fault", [FeatureStoreDown, FeatureStoreTimeout])
async def test_without_the_store_every_call_decides_and_says_so_in_answer_and_record(
    ledger_with, broker, decided, deadline, fault
):
    ledger = ledger_with(AwayAnswers(fault))
    for entropy in (b"1" * 9, b"2" * 9):
        settled = await ledger.record(*decided(entropy=entropy), deadline)
        assert settled.degradations == (UNCHECKED,)
    events = broker.records(DECISIONS)
    assert len(events) == 2
    assert [degradations_from_proto(e.slate_decided.degradations) for e in events] == [(UNCHECKED,)] * 2


async def test_an_append_cut_off_frees_the_request_id(ledger_with, appender, decided, deadline):
    class Claimed(AwayAnswers):
        async def claim(self, subject, request_id, packed, deadline):
            return None

    async def never(*args, **kwargs):
        await asyncio.Event().wait()

    store = Claimed(FeatureStoreDown)
    appender.append = never
    call = asyncio.create_task(ledger_with(store).record(*decided(), deadline))
    await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert store.forgotten == ["r-1"]
