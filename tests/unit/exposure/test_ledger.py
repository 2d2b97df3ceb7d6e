from __future__ import annotations

import asyncio

import pytest

from loopwright.domain.enums import Purpose
from loopwright.domain.ids import event_id, item_id
from loopwright.eventlog import DECISIONS, FUNNELS, Worth, ms_of
from loopwright.exposure.answers import RedisAnswers
from loopwright.exposure.convert import decision_from_record
from loopwright.exposure.ledger import UNCHECKED, DecisionLedger, TokenPolicy
from loopwright.exposure.refusals import AnswerPending
from loopwright.exposure.tokens import verify
from loopwright.faults import FeatureStoreDown, FeatureStoreTimeout, Kind, LogUnavailable, OutboxFull, RequestIdReused
from loopwright.pipeline.convert import answer as answer_room
from loopwright.pipeline.convert.degradations import degradations_from_proto
from loopwright.pipeline.convert.funnel import unpack_funnel
from loopwright.rpc import Deadline
from loopwright.store.client import open_store
from loopwright.telemetry import METER, names

pytestmark = pytest.mark.integration


class AwayAnswers:
    """A store that fails every claim."""

    def __init__(self, fault) -> None:
        self.fault = fault
        self.forgotten: list[str] = []

    async def claim(self, subject, request_id, packed, deadline):
        raise self.fault()

    async def keep(self, subject, request_id, packed, served, deadline):
        raise self.fault()

    async def forget(self, subject, request_id, claim):
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


class SharedAnswers:
    """One store for two replicas, on which the test looks and lets claims run out."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.served: list[list[int]] = []
        self.looks = 0

    async def claim(self, subject, request_id, claim, deadline):
        self.looks += 1
        found = self.kept.get(request_id)
        if found is None:
            self.kept[request_id] = claim
        return found

    async def keep(self, subject, request_id, packed, served, deadline):
        if packed is not None:
            self.kept[request_id] = packed
        self.served.append(list(served))

    async def forget(self, subject, request_id, claim):
        if self.kept.get(request_id) == claim:
            del self.kept[request_id]


class LateAnswers(SharedAnswers):
    """A store that carries out what it is asked; its replies to claims come too late."""

    async def claim(self, subject, request_id, claim, deadline):
        await super().claim(subject, request_id, claim, deadline)
        raise FeatureStoreTimeout()


async def test_a_claim_whose_reply_came_too_late_is_followed_by_its_answer(ledger_with, broker, decided, deadline):
    store = LateAnswers()
    first = await ledger_with(store).record(*decided(entropy=b"1" * 9), deadline)
    assert first.degradations == (UNCHECKED,)
    await until(lambda: store.served)
    store.claim = super(LateAnswers, store).claim
    again = await ledger_with(store).record(*decided(entropy=b"2" * 9), deadline)
    assert (again.replayed, again.decision_id, again.degradations) == (True, first.decision_id, (UNCHECKED,))
    assert len(broker.records(DECISIONS)) == 1


class HeldLog:
    """An appender whose appends wait until they are let go, or fail."""

    def __init__(self, appender) -> None:
        self.inner = appender
        self.waiting = 0
        self.let_go = asyncio.Event()
        self.fault: Exception | None = None

    async def append(self, topic, key, event, *, deadline, worth):
        self.waiting += 1
        await self.let_go.wait()
        if self.fault is not None:
            raise self.fault
        return await self.inner.append(topic, key, event, deadline=deadline, worth=worth)


@pytest.fixture
def held(appender):
    return HeldLog(appender)


@pytest.fixture
def replicas(appender, held, ring, clock, threads):
    """The store, a replica whose appends are held, and one whose are not."""
    store, tokens = SharedAnswers(), TokenPolicy(ring, 3600)
    made = [DecisionLedger(one, store, tokens, clock, threads) for one in (held, appender)]
    return store, *made


async def until(true) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


async def gone(call: asyncio.Task) -> None:
    """Cancel a call as gRPC does when its client dies or its deadline passes."""
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()


async def test_nobody_is_told_an_answer_before_its_record_is_durable(replicas, held, broker, decided, deadline):
    store, slow, other = replicas
    first = asyncio.create_task(slow.record(*decided(entropy=b"1" * 9), deadline))
    await until(lambda: held.waiting)
    second = asyncio.create_task(other.record(*decided(entropy=b"2" * 9), deadline))
    await until(lambda: store.looks > 3)
    assert not second.done()
    assert broker.records(DECISIONS) == []
    held.let_go.set()
    told, again = await asyncio.gather(first, second)
    assert (told.replayed, again.replayed) == (False, True)
    assert told.decision_id == again.decision_id
    assert len(broker.records(DECISIONS)) == 1


async def test_who_waits_in_vain_is_sent_away_to_come_again(replicas, held, broker, decided, deadline):
    _, slow, other = replicas
    first = asyncio.create_task(slow.record(*decided(entropy=b"1" * 9), deadline))
    await until(lambda: held.waiting)
    with pytest.raises(AnswerPending) as caught:
        await other.record(*decided(entropy=b"2" * 9), Deadline.after(0.1))
    assert (caught.value.kind, caught.value.retryable, caught.value.retry_after_s) == (Kind.UNAVAILABLE, True, 0.5)
    held.let_go.set()
    await first
    assert len(broker.records(DECISIONS)) == 1


async def test_who_waits_decides_when_the_first_append_fails(replicas, held, broker, decided, deadline):
    store, slow, other = replicas
    held.fault = LogUnavailable()
    first = asyncio.create_task(slow.record(*decided(entropy=b"1" * 9), deadline))
    await until(lambda: held.waiting)
    second = asyncio.create_task(other.record(*decided(entropy=b"2" * 9), deadline))
    await until(lambda: store.looks > 1)
    held.let_go.set()
    with pytest.raises(LogUnavailable):
        await first
    assert not (await second).replayed
    assert len(broker.records(DECISIONS)) == 1


async def test_a_decider_that_died_holds_its_request_id_no_longer_than_its_claim(
    replicas, held, broker, decided, deadline
):
    store, slow, other = replicas
    died = asyncio.create_task(slow.record(*decided(entropy=b"1" * 9), deadline))
    await until(lambda: held.waiting)
    second = asyncio.create_task(other.record(*decided(entropy=b"2" * 9), deadline))
    await until(lambda: store.looks > 1)
    store.kept.clear()  # the claim runs out
    answer = await second
    assert not answer.replayed
    assert [e.slate_decided.decision_id for e in broker.records(DECISIONS)] == [answer.decision_id]
    await gone(died)
    again = await other.record(*decided(entropy=b"3" * 9), deadline)
    assert (again.replayed, again.decision_id) == (True, answer.decision_id)


async def test_another_request_is_refused_even_before_the_first_is_durable(replicas, held, decided, deadline):
    _, slow, other = replicas
    first = asyncio.create_task(slow.record(*decided(request_hash=b"1" * 16), deadline))
    await until(lambda: held.waiting)
    with pytest.raises(RequestIdReused):
        await other.record(*decided(request_hash=b"2" * 16), deadline)
    held.let_go.set()
    await first


async def test_one_call_sent_twice_is_answered_by_both_replicas_and_counts_once(
    replicas, held, broker, decided, deadline
):
    _, slow, other = replicas
    first = asyncio.create_task(slow.record(*decided(), deadline))
    await until(lambda: held.waiting)
    told = await other.record(*decided(), deadline)  # while the first still appends
    held.let_go.set()
    late = await first
    once_more = await other.record(*decided(), deadline)  # when the answer is stored
    assert told == late == once_more
    assert not told.replayed
    assert len({event.event_id for event in broker.records(DECISIONS)}) == 1


async def test_one_call_sent_twice_keeps_its_answer_when_the_first_sending_fails(replicas, held, decided, deadline):
    _, slow, other = replicas
    held.fault = LogUnavailable()
    first = asyncio.create_task(slow.record(*decided(), deadline))
    await until(lambda: held.waiting)
    told = await other.record(*decided(), deadline)
    held.let_go.set()
    with pytest.raises(LogUnavailable):
        await first
    again = await other.record(*decided(entropy=b"2" * 9), deadline)
    assert (again.replayed, again.decision_id) == (True, told.decision_id)


async def test_a_record_whose_caller_has_gone_is_finished_and_told_to_its_retry(
    replicas, held, broker, decided, deadline
):
    store, slow, other = replicas
    first, second = decided(entropy=b"1" * 9), decided(entropy=b"2" * 9)
    call = asyncio.create_task(slow.record(*first, deadline))
    await until(lambda: held.waiting)
    await gone(call)
    retry = asyncio.create_task(other.record(*second, deadline))
    await until(lambda: store.looks > 3)
    assert not retry.done()
    held.let_go.set()
    answer = await retry
    assert (answer.replayed, answer.decision_id) == (True, first[0].decision_id)
    assert [e.slate_decided.decision_id for e in broker.records(DECISIONS)] == [first[0].decision_id]
    again = await slow.record(*decided(entropy=b"3" * 9), deadline)
    assert (again.replayed, again.decision_id) == (True, first[0].decision_id)
    assert held.waiting == 1


async def test_the_same_replica_too_waits_for_a_record_whose_caller_has_gone(replicas, held, broker, decided, deadline):
    store, slow, _ = replicas
    first = decided(entropy=b"1" * 9)
    call = asyncio.create_task(slow.record(*first, deadline))
    await until(lambda: held.waiting)
    await gone(call)
    retry = asyncio.create_task(slow.record(*decided(entropy=b"2" * 9), deadline))
    await until(lambda: store.looks > 3)
    held.let_go.set()
    answer = await retry
    assert (answer.replayed, answer.decision_id) == (True, first[0].decision_id)
    assert (held.waiting, len(broker.records(DECISIONS))) == (1, 1)


async def test_an_append_that_fails_when_its_caller_has_gone_frees_the_request_id_and_is_logged(
    replicas, held, broker, decided, deadline, caplog
):
    store, slow, other = replicas
    call = asyncio.create_task(slow.record(*decided(entropy=b"1" * 9), deadline))
    await until(lambda: held.waiting)
    await gone(call)
    held.fault = LogUnavailable()
    assert list(store.kept) == ["r-1"]
    held.let_go.set()
    await slow.drained(5.0)
    assert store.kept == {}
    assert [r.reason for r in caplog.records] == ["LOG_UNAVAILABLE"]
    second = decided(entropy=b"2" * 9)
    answer = await other.record(*second, deadline)
    assert (answer.replayed, answer.decision_id) == (False, second[0].decision_id)
    assert len(broker.records(DECISIONS)) == 1


async def test_an_answer_is_kept_though_its_record_was_durable_only_at_the_deadline(
    appender, ring, clock, threads, decided
):
    now = [0.0]

    class LastMoment(HeldLog):
        async def append(self, topic, key, event, *, deadline, worth):
            await self.inner.append(topic, key, event, deadline=deadline, worth=worth)
            now[0] = deadline.instant

    class Punctual(SharedAnswers):
        async def keep(self, subject, request_id, packed, served, deadline):
            if deadline.expired:
                raise FeatureStoreTimeout()
            await super().keep(subject, request_id, packed, served, deadline)

    ledger = DecisionLedger(LastMoment(appender), Punctual(), TokenPolicy(ring, 3600), clock, threads)
    settled = await ledger.record(*decided(), Deadline.after(0.1, lambda: now[0]))
    assert settled.degradations == ()
    again = await ledger.record(*decided(entropy=b"2" * 9), Deadline.after(5.0))
    assert (again.replayed, again.decision_id) == (True, settled.decision_id)


async def test_a_record_cut_off_by_the_stop_leaves_its_claim_as_it_may_still_land(replicas, held, decided, deadline):
    store, slow, _ = replicas
    call = asyncio.create_task(slow.record(*decided(), deadline))
    await until(lambda: held.waiting)
    claim = dict(store.kept)
    await gone(call)
    await slow.drained(0.0)
    assert store.kept == claim


async def test_what_a_person_is_shown_is_guarded_when_its_record_is_durable(replicas, held, decided, deadline):
    store, slow, _ = replicas
    call = asyncio.create_task(slow.record(*decided(), deadline))
    await until(lambda: held.waiting)
    assert store.served == []
    held.let_go.set()
    await call
    assert store.served == [[item_id("a"), item_id("b")]]


async def test_a_slate_that_is_not_on_record_guards_nothing(replicas, held, decided, deadline):
    store, slow, _ = replicas
    held.fault = LogUnavailable()
    held.let_go.set()
    with pytest.raises(LogUnavailable):
        await slow.record(*decided(), deadline)
    assert store.served == []


@pytest.mark.parametrize("purpose", [Purpose.EVALUATE, Purpose.SHADOW, Purpose.SIMULATE])
async def test_what_nobody_is_shown_guards_nothing(replicas, decided, deadline, purpose):
    store, _, ledger = replicas
    await ledger.record(*decided(purpose=purpose), deadline)
    assert not any(store.served)


async def test_a_slate_too_long_to_be_stored_is_guarded_and_leaves_its_request_id_free(
    ledger_with, broker, decided, deadline, monkeypatch
):
    store = SharedAnswers()
    monkeypatch.setattr(answer_room, "MAX_STORED_BYTES", 1)
    settled = await ledger_with(store).record(*decided(), deadline)
    (event,) = broker.records(DECISIONS)
    assert settled.degradations == degradations_from_proto(event.slate_decided.degradations) == (UNCHECKED,)
    assert (store.kept, store.served) == ({}, [[item_id("a"), item_id("b")]])


async def test_the_store_is_asked_before_the_answer_is_made(ledger_with, decided, deadline):
    class Watching(SharedAnswers):
        async def claim(self, subject, request_id, claim, deadline):
            signed.append(bool(decision.answer.message.items[0].exposure_token))
            found = await super().claim(subject, request_id, claim, deadline)
            await asyncio.sleep(0)  # the answer of the store is on its way
            signed.append(bool(decision.answer.message.items[0].exposure_token))
            return found

    decision, signed = decision_from_record(*decided()), []
    await ledger_with(Watching()).settle(decision, deadline)
    assert signed == [False, True]


async def test_a_call_that_ends_while_the_store_looks_leaves_nothing_running(ledger_with, broker, decided, deadline):
    class Frozen(SharedAnswers):
        async def claim(self, subject, request_id, claim, deadline):
            asked.append(asyncio.current_task())
            await asyncio.Event().wait()

    asked = []
    call = asyncio.create_task(ledger_with(Frozen()).record(*decided(), deadline))
    await until(lambda: asked)
    await gone(call)
    assert asked[0].cancelled()
    assert broker.records(DECISIONS) == []


async def test_an_answer_that_could_not_be_kept_for_repeats_says_so(ledger_with, broker, decided, deadline):
    class Forgetful(SharedAnswers):
        async def keep(self, subject, request_id, packed, served, deadline):
            raise FeatureStoreTimeout()

    settled = await ledger_with(Forgetful()).record(*decided(), deadline)
    assert settled.degradations == (UNCHECKED,)
    assert len(broker.records(DECISIONS)) == 1


async def test_a_frozen_store_costs_a_call_its_ceiling_and_is_told(ledger_with, clock, decided, frozen_store):
    async with open_store(frozen_store, 0.02) as store, asyncio.timeout(2.0):
        ledger = ledger_with(RedisAnswers(store, clock.wall_ms))
        settled = await ledger.record(*decided(), Deadline.after(1.0))
        assert settled.degradations == (UNCHECKED,)


async def test_what_is_shown_is_worth_more_than_what_is_judged_and_a_funnel_least(ledger, appender, decided, deadline):
    await ledger.record(*decided(funnel=True), deadline)
    await ledger.record(*decided(purpose=Purpose.SHADOW, entropy=b"2" * 9, request_id="r-2"), deadline)
    assert appender.worths == [Worth.OPTIONAL, Worth.SLATE, Worth.OPTIONAL]


async def test_without_room_for_funnels_a_slate_is_recorded_alone_and_judging_is_refused(
    ledger, appender, broker, decided, deadline
):
    appender.least = Worth.SLATE
    before = METER.value(names.FUNNELS_SHED)
    settled = await ledger.record(*decided(funnel=True), deadline)
    (event,) = broker.records(DECISIONS)
    assert (event.slate_decided.decision_id, event.slate_decided.funnel_chunks) == (settled.decision_id, 0)
    assert broker.records(FUNNELS) == []
    assert METER.value(names.FUNNELS_SHED) == before + 1
    for purpose in (Purpose.EVALUATE, Purpose.SHADOW, Purpose.SIMULATE):
        with pytest.raises(OutboxFull):
            await ledger.record(*decided(purpose=purpose, funnel=True, request_id="r-2"), deadline)
    appender.least = Worth.EVIDENCE
    with pytest.raises(OutboxFull):
        await ledger.record(*decided(request_id="r-3"), deadline)
