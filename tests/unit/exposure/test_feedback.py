from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.enums import ActionKind
from loopwright.eventlog import ACTIONS, IMPRESSIONS, DurableWriter, MemoryBroker, MemoryEventLog, ms_of
from loopwright.exposure.feedback import LIKED, Feedback
from loopwright.exposure.known_ids import KnownIds
from loopwright.exposure.reports import Act, Receipt, View
from loopwright.exposure.tokens import Claims, KeyRing, mint
from loopwright.faults import InvalidRequest, LogUnavailable, TokenInvalid
from loopwright.lifecycle import FixedClock
from loopwright.rpc import Deadline

DECISION = b"d" * 16


@pytest.fixture
def feedback(appender, ring, clock):
    return Feedback(appender, ring, clock, KnownIds(100))


@pytest.fixture
def token(ring, sample):
    def make(item=11, position=1, decision=DECISION, ttl_s=3600):
        expires = sample.now_ms // 1000 + ttl_s
        return mint(Claims(decision, sample.subject, item, position, expires, "home"), ring)

    return make


def act(token, *, client_event_id="c-1", kind=ActionKind.CLICK, value=1.0, occurred_at_ms=None):
    return Act(token, client_event_id, kind, value, occurred_at_ms)


async def test_a_report_becomes_one_fact_with_every_item(feedback, broker, token, deadline, sample):
    views = [View(token(11, 1), 1500, True), View(token(12, 2), 0, False)]
    assert await feedback.report_views("c-1", views, deadline) == Receipt(duplicate=False, late=False)
    (event,) = broker.records(IMPRESSIONS)
    viewed = event.items_viewed
    assert (viewed.decision_id, viewed.subject, viewed.late) == (DECISION, sample.subject, False)
    assert [(i.item_id, i.position, i.view_time.ToMilliseconds(), i.seen) for i in viewed.items] == [
        (11, 1, 1500, True),
        (12, 2, 0, False),
    ]
    assert (event.surface, event.client_event_id, ms_of(event.occurred_at)) == ("home", "c-1", sample.now_ms)


async def test_an_item_named_twice_in_a_report_counts_once(feedback, broker, token, deadline):
    await feedback.report_views("c-1", [View(token(11), 100, False), View(token(11), 200, True)], deadline)
    (item,) = broker.records(IMPRESSIONS)[0].items_viewed.items
    assert (item.view_time.ToMilliseconds(), item.seen) == (300, True)


async def test_a_repeated_report_is_told_and_not_appended(feedback, broker, token, deadline):
    await feedback.report_views("c-1", [View(token(), 0, True)], deadline)
    again = await feedback.report_views("c-1", [View(token(), 0, True)], deadline)
    assert again == Receipt(duplicate=True, late=False)
    assert len(broker.records(IMPRESSIONS)) == 1
    await feedback.report_views("c-2", [View(token(), 0, True)], deadline)
    assert len(broker.records(IMPRESSIONS)) == 2


async def test_a_report_of_two_decisions_is_refused_by_the_name_of_its_field(feedback, broker, token, deadline):
    views = [View(token(), 0, True), View(token(decision=b"e" * 16), 0, True)]
    with pytest.raises(InvalidRequest) as refused:
        await feedback.report_views("c-1", views, deadline)
    assert refused.value.violations[0].field == "impressions[1].exposure_token"
    assert broker.records(IMPRESSIONS) == []


async def test_an_expired_token_counts_as_late_and_is_flagged(feedback, broker, token, clock, deadline):
    old = token(ttl_s=10)
    clock.ms += 10_000
    assert not (await feedback.report_views("c-1", [View(old, 0, True)], deadline)).late
    clock.ms += 1
    assert (await feedback.report_views("c-2", [View(old, 0, True)], deadline)).late
    assert await feedback.report_acts([act(old)], deadline) == [Receipt(duplicate=False, late=True)]
    assert sorted(e.items_viewed.late for e in broker.records(IMPRESSIONS)) == [False, True]
    assert broker.records(ACTIONS)[0].action_taken.late


async def test_a_bad_token_refuses_the_whole_batch(feedback, broker, token, deadline):
    forged = mint(Claims(DECISION, b"s" * 16, 1, 1, 2**31, "home"), KeyRing(1, {1: b"another key"}))
    with pytest.raises(TokenInvalid) as refused:
        await feedback.report_acts([act(token()), act(forged, client_event_id="c-2")], deadline)
    assert refused.value.violations[0].field == "actions[1].exposure_token"
    with pytest.raises(TokenInvalid):
        await feedback.report_views("c-1", [View("nonsense", 0, True)], deadline)
    assert broker.records(ACTIONS) == broker.records(IMPRESSIONS) == []


async def test_actions_become_facts_of_their_own_time_and_value(feedback, broker, token, deadline, sample):
    receipts = await feedback.report_acts(
        [act(token(11, 4), kind=ActionKind.DWELL, value=12.5, occurred_at_ms=sample.now_ms - 7_000)], deadline
    )
    assert receipts == [Receipt(duplicate=False, late=False)]
    (event,) = broker.records(ACTIONS)
    taken = event.action_taken
    assert (taken.decision_id, taken.subject, taken.item_id, taken.position) == (DECISION, sample.subject, 11, 4)
    assert (taken.kind, taken.value, taken.liked) == (ActionKind.DWELL, 12.5, False)
    assert ms_of(event.occurred_at) == sample.now_ms - 7_000


async def test_an_action_in_the_future_is_refused(feedback, broker, token, deadline, sample):
    with pytest.raises(InvalidRequest) as refused:
        await feedback.report_acts([act(token(), occurred_at_ms=sample.now_ms + 1)], deadline)
    assert refused.value.violations[0].field == "actions[0].occurred_at"
    assert broker.records(ACTIONS) == []


async def test_a_repeated_action_is_told_within_and_across_batches(feedback, broker, token, deadline):
    twice = await feedback.report_acts([act(token()), act(token())], deadline)
    assert [r.duplicate for r in twice] == [False, True]
    again = await feedback.report_acts([act(token()), act(token(), kind=ActionKind.LIKE)], deadline)
    assert [r.duplicate for r in again] == [True, False]
    assert len(broker.records(ACTIONS)) == 2


async def test_what_was_not_appended_is_not_known(feedback, broker, token, deadline):
    broker.outage = LogUnavailable()
    with pytest.raises(LogUnavailable):
        await feedback.report_acts([act(token())], deadline)
    with pytest.raises(LogUnavailable):
        await feedback.report_views("c-1", [View(token(), 0, True)], deadline)
    broker.outage = None
    assert not (await feedback.report_acts([act(token())], deadline))[0].duplicate
    assert not (await feedback.report_views("c-1", [View(token(), 0, True)], deadline)).duplicate


@pytest.mark.parametrize("kind", list(ActionKind))
async def test_liked_follows_from_the_kind(feedback, broker, token, deadline, kind):
    await feedback.report_acts([act(token(), kind=kind, value=5.0)], deadline)
    expected = {"LIKE", "SHARE", "PURCHASE", "APPLY", "COMPLETE"}
    assert broker.records(ACTIONS)[0].action_taken.liked is (kind.name in expected)
    assert {k.name for k in LIKED} == expected


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from([ActionKind.CLICK, ActionKind.LIKE]), st.sampled_from("ab")),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 12),
)
async def test_however_actions_are_cut_into_batches_each_counts_once(made, size):
    broker, ring = MemoryBroker(), KeyRing(1, {1: b"k"})
    writer = DurableWriter(MemoryEventLog(broker, producer="exposure"), None)
    feedback = Feedback(writer, ring, FixedClock(10**12), KnownIds(100))
    acts = [
        act(mint(Claims(DECISION, b"s" * 16, item, 1, 2**31, "home"), ring), kind=kind, client_event_id=cid)
        for item, kind, cid in made
    ]
    receipts = []
    for start in range(0, len(acts), size):
        receipts += await feedback.report_acts(acts[start : start + size], Deadline.after(5.0))
    ids = [event.event_id for event in broker.records(ACTIONS)]
    assert len(ids) == len(set(ids)) == len(set(made)) == [r.duplicate for r in receipts].count(False)
