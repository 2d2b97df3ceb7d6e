from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from tests.bad_events import corrupt_values, inject, odd_events, poison_events

from loopwright.api.events.v1.sealed_pb2 import SealedContext
from loopwright.api.ingest.v1 import ingest_service_pb2 as pb
from loopwright.api.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from loopwright.domain.enums import Purpose
from loopwright.domain.ids import item_id, item_key, name_id, subject_of
from loopwright.eventlog import CATALOG, CONTROL, ORGANIC, PROFILES, ms_of, occurred_at_ms
from loopwright.eventlog.topics import Topic
from loopwright.faults import Kind, LogUnavailable, RemoteFault
from loopwright.ingest.convert import item_event
from loopwright.ingest.rows import ItemRow
from loopwright.lifecycle import FixedClock
from loopwright.lifecycle.development_keys import DEVELOPMENT_SUBJECT_KEY
from loopwright.rpc import fault_from_call

KEY = DEVELOPMENT_SUBJECT_KEY.encode()


def at(ms: int) -> Timestamp:
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


def reasons(answer: Any) -> list[tuple[int, str, str]]:
    return [(rejection.index, rejection.field, rejection.reason) for rejection in answer.rejections]


def on_log(ingest: Any, topic: Topic) -> list[Any]:
    return ingest.broker.records(topic)


async def refused(call: Any) -> RemoteFault:
    with pytest.raises(RemoteFault) as caught:
        await call
    return caught.value


async def test_items_are_on_the_log_when_their_batch_is_answered(ingest: Any, rows: Any) -> None:
    answer = await ingest.items(
        rows.item("a", title="A", tags=["x", "y"], creator="c", published_at=at(-5_000), locale="en", text="t"),
        rows.item("b"),
        batch=7,
    )
    assert (answer.batch, answer.accepted, list(answer.rejections)) == (7, 2, [])
    stored = {event.item_upserted.external_id: event for event in on_log(ingest, CATALOG)}
    first = stored["a"].item_upserted
    assert (first.item_id, first.title, list(first.tags), first.creator) == (item_id("a"), "A", ["x", "y"], "c")
    assert (ms_of(first.published_at), first.locale, first.text) == (-5_000, "en", "t")
    assert not stored["b"].item_upserted.HasField("published_at")
    assert occurred_at_ms(stored["a"]) == rows.NOW_MS


async def test_an_item_equal_to_the_known_one_is_accepted_and_not_appended(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a", title="A"))
    ingest.wall.ms += 1000
    answer = await ingest.items(rows.item("a", title="A"), rows.item("a", title="A", at_ms=rows.NOW_MS))
    assert answer.accepted == 2
    assert len(on_log(ingest, CATALOG)) == 1
    await ingest.items(rows.item("a", title="changed"))
    assert [event.item_upserted.title for event in on_log(ingest, CATALOG)] == ["A", "changed"]


async def test_of_an_item_stated_twice_without_a_time_the_later_row_stands(ingest: Any, rows: Any) -> None:
    names = [f"i{n}" for n in range(20)]
    answer = await ingest.items(*(rows.item(name, title=title) for name in names for title in ("first", "second")))
    assert (answer.accepted, list(answer.rejections)) == (40, [])
    assert [event.item_upserted.title for event in on_log(ingest, CATALOG)] == ["second"] * 20
    ingest.wall.ms += 1000
    await ingest.items(*(rows.item(name, title=title) for name in names for title in ("third", "second")))
    assert len(on_log(ingest, CATALOG)) == 20


async def test_an_item_that_was_withdrawn_comes_back_with_the_next_upsert(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a"))
    ingest.wall.ms += 1000
    await ingest.stub.WithdrawItem(pb.WithdrawItemRequest(item_id="a", reason="gone"), timeout=5)
    ingest.wall.ms += 1000
    await ingest.items(rows.item("a"))
    payloads = [event.WhichOneof("payload") for event in on_log(ingest, CATALOG)]
    assert payloads == ["item_upserted", "item_withdrawn", "item_upserted"]


async def test_an_id_collision_refuses_the_row_and_keeps_the_others(broker: Any, wall: Any, rows: Any) -> None:
    # A true collision of 64-bit hashes cannot be made: another name holds the id of "b" on the log.
    holder = ItemRow("squatter", "", (), "", None, "", "", None)
    event = item_event(holder, item_id("b"), rows.NOW_MS, FixedClock(rows.NOW_MS))
    broker.inject(CATALOG, item_key(item_id("b")), event.SerializeToString())
    async with rows.running(broker, wall) as ingest:
        answer = await ingest.items(rows.item("a"), rows.item("b"))
        assert (answer.accepted, reasons(answer)) == (1, [(1, "item_id", "ID_COLLISION")])
        answer = await ingest.interactions(rows.rated("u", "b"))
        assert reasons(answer) == [(0, "item_id", "UNKNOWN_ITEM")]


async def test_interactions_are_on_the_log_under_the_subject_alone(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a"))
    answer = await ingest.interactions(rows.rated("ann@example.org", "a", "0001", at_ms=rows.NOW_MS - 5, value=3.0))
    assert (answer.batch, answer.accepted) == (1, 1)
    (event,) = on_log(ingest, ORGANIC)
    organic = event.organic_interaction
    assert organic.subject == subject_of("ann@example.org", anonymous=False, key=KEY)
    assert (organic.item_id, organic.kind, organic.value, organic.liked) == (item_id("a"), 17, 3.0, False)
    assert (event.surface, event.client_event_id, occurred_at_ms(event)) == ("home", "0001", rows.NOW_MS - 5)
    assert b"example.org" not in event.SerializeToString()


async def test_an_interaction_with_an_unknown_item_is_refused_and_the_others_are_kept(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a"))
    answer = await ingest.interactions(rows.rated("u", "a"), rows.rated("u", "?"), rows.rated("v", "a"))
    assert (answer.accepted, reasons(answer)) == (2, [(1, "item_id", "UNKNOWN_ITEM")])
    assert answer.rejections[0].description
    assert len(on_log(ingest, ORGANIC)) == 2


async def test_a_broken_field_ends_the_stream_and_nothing_of_that_batch_is_written(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a"))
    good = [rows.rated("u", "a", str(n)) for n in range(3)]
    batches = [
        pb.IngestInteractionsRequest(batch=1, interactions=good),
        pb.IngestInteractionsRequest(batch=2, interactions=[*good, rows.rated("", "a")]),
    ]
    fault = await refused(rows.answers(ingest.stub.IngestInteractions, batches))
    assert (fault.kind, fault.reason) == (Kind.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert [(v.field, v.rule) for v in fault.violations] == [("interactions[3].user_id", "string.min_bytes")]
    assert len(on_log(ingest, ORGANIC)) == 3


async def test_batch_numbers_have_to_rise(ingest: Any, rows: Any) -> None:
    batches = [pb.IngestItemsRequest(batch=2, items=[rows.item(name)]) for name in "ab"]
    fault = await refused(rows.answers(ingest.stub.IngestItems, batches))
    assert (fault.kind, [(v.field, v.rule) for v in fault.violations]) == (
        Kind.INVALID_ARGUMENT,
        [("batch", "rising")],
    )
    assert len(on_log(ingest, CATALOG)) == 1


async def test_a_stream_without_a_deadline_is_refused(ingest: Any) -> None:
    async with grpc.aio.insecure_channel(ingest.target) as channel:  # ours refuses to send such a call
        call = IngestServiceStub(channel).IngestItems()  # nothing is written: the refusal would cross it
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fault_from_call(caught.value).reason == "DEADLINE_REQUIRED"


async def test_an_oversized_batch_is_refused_before_the_handler(ingest: Any, rows: Any) -> None:
    big = pb.IngestItemsRequest(batch=1, items=[rows.item(str(n), text="x" * 16_000) for n in range(300)])
    fault = await refused(rows.answers(ingest.stub.IngestItems, [big]))
    assert fault.kind is Kind.RESOURCE_EXHAUSTED
    assert on_log(ingest, CATALOG) == []


async def test_a_fact_of_the_future_is_refused(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a"))
    answer = await ingest.interactions(
        rows.rated("u", "a", "1", at_ms=rows.NOW_MS + 1000), rows.rated("u", "a", "2", at_ms=rows.NOW_MS + 1001)
    )
    assert (answer.accepted, reasons(answer)) == (1, [(1, "occurred_at", "FUTURE")])
    answer = await ingest.profiles(pb.Profile(user_id="u", occurred_at=at(rows.NOW_MS + 5_000)))
    assert reasons(answer) == [(0, "occurred_at", "FUTURE")]


async def test_what_is_older_than_the_dedup_window_is_too_late(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a"))
    await ingest.interactions(rows.rated("u", "a", at_ms=rows.NOW_MS))
    edge = rows.NOW_MS - rows.DAY_MS
    answer = await ingest.interactions(rows.rated("v", "a", "1", at_ms=edge), rows.rated("v", "a", "2", at_ms=edge - 1))
    assert (answer.accepted, reasons(answer)) == (1, [(1, "occurred_at", "TOO_LATE")])


async def test_an_import_in_time_order_never_makes_its_own_later_rows_too_late(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a", at_ms=0))
    times = [n * 3 * rows.DAY_MS for n in range(50)]
    batches = [
        pb.IngestInteractionsRequest(
            batch=n + 1,
            interactions=[rows.rated(f"u{i}", "a", str(i), at_ms=times[i]) for i in range(n * 10, n * 10 + 10)],
        )
        for n in range(5)
    ]
    answers = await rows.answers(ingest.stub.IngestInteractions, batches)
    assert [(answer.batch, answer.accepted) for answer in answers] == [(n + 1, 10) for n in range(5)]
    assert len(on_log(ingest, ORGANIC)) == 50


async def test_a_batch_sent_again_is_answered_alike_and_appended_once(
    ingest: Any, broker: Any, wall: Any, rows: Any
) -> None:
    await ingest.items(rows.item("a", at_ms=0))
    batch = [rows.rated(f"u{i}", "a", at_ms=i * 2 * rows.DAY_MS) for i in range(20)]
    first = await ingest.interactions(*batch)
    assert (await ingest.interactions(*batch)) == first
    async with rows.running(broker, wall) as restarted:
        assert (await restarted.interactions(*batch)) == first
    assert len(on_log(ingest, ORGANIC)) == 20


async def test_the_rows_that_a_crash_tore_off_a_batch_are_taken_when_it_is_sent_again(
    ingest: Any, broker: Any, wall: Any, rows: Any
) -> None:
    await ingest.items(rows.item("a", at_ms=0))
    batch = [rows.rated(f"u{i}", "a", at_ms=i * 2 * rows.DAY_MS) for i in range(20)]
    await ingest.interactions(rows.rated("before", "a", at_ms=0))
    wall.ms += 1
    await ingest.interactions(batch[-1])  # as if only the newest row had landed
    async with rows.running(broker, wall) as restarted:
        answer = await restarted.interactions(*batch)
    assert (answer.accepted, reasons(answer)) == (20, [])
    assert len(on_log(ingest, ORGANIC)) == 21


async def test_profiles_carry_the_external_id_in_the_sealed_field_only(ingest: Any) -> None:
    answer = await ingest.profiles(pb.Profile(user_id="ann", locale="de", traits={"age_band": "25-34"}))
    assert answer.accepted == 1
    (event,) = on_log(ingest, PROFILES)
    profile = event.profile_updated
    assert profile.subject == subject_of("ann", anonymous=False, key=KEY)
    assert (profile.locale, dict(profile.traits), profile.sealed.key_id) == ("de", {"age_band": "25-34"}, 0)
    assert SealedContext.FromString(profile.sealed.data).external_id == "ann"


async def test_single_facts_of_items_are_on_the_log(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a"))
    await ingest.stub.ChangeInventory(pb.ChangeInventoryRequest(item_id="a", available=3), timeout=5)
    await ingest.stub.LabelSafety(pb.LabelSafetyRequest(item_id="a", safe=False, reason="gore"), timeout=5)
    await ingest.stub.WithdrawItem(pb.WithdrawItemRequest(item_id="a", reason="gone"), timeout=5)
    stock, label, gone = on_log(ingest, CATALOG)[1:]
    assert (stock.inventory_changed.item_id, stock.inventory_changed.available) == (item_id("a"), 3)
    assert (label.safety_labelled.safe, label.safety_labelled.reason) == (False, "gore")
    assert (gone.item_withdrawn.item_id, gone.item_withdrawn.reason) == (item_id("a"), "gone")


@pytest.mark.parametrize(
    ("method", "request_of"),
    [
        ("WithdrawItem", lambda: pb.WithdrawItemRequest(item_id="?")),
        ("ChangeInventory", lambda: pb.ChangeInventoryRequest(item_id="?", available=1)),
        ("LabelSafety", lambda: pb.LabelSafetyRequest(item_id="?", safe=True)),
    ],
)
async def test_single_facts_of_unknown_items_are_not_found(ingest: Any, method: str, request_of: Any) -> None:
    fault = await refused(getattr(ingest.stub, method)(request_of(), timeout=5))
    assert (fault.kind, fault.reason) == (Kind.NOT_FOUND, "UNKNOWN_ITEM")
    assert on_log(ingest, CATALOG) == []


async def test_relations_to_creators_are_one_fact_however_often_they_are_sent(ingest: Any) -> None:
    for relation in (1, 1, 2, 3):
        request = pb.UpdateCreatorRelationRequest(
            user_id="u",
            creator="c",
            relation=relation,  # type: ignore[arg-type]
            client_event_id="x",
        )
        await ingest.stub.UpdateCreatorRelation(request, timeout=5)
    events = on_log(ingest, PROFILES)
    names = ["creator_followed", "creator_followed", "creator_unfollowed", "creator_blocked"]
    assert [event.WhichOneof("payload") for event in events] == names
    assert events[0].event_id == events[1].event_id
    assert len({event.event_id for event in events}) == 3
    assert events[3].creator_blocked.creator_id == name_id("c")


async def test_erasure_names_nobody(ingest: Any) -> None:
    await ingest.stub.EraseSubject(pb.EraseSubjectRequest(user_id="ann@example.org"), timeout=5)
    (event,) = on_log(ingest, PROFILES)
    assert event.subject_erased.subject == subject_of("ann@example.org", anonymous=False, key=KEY)
    assert b"example.org" not in event.SerializeToString()


async def test_a_log_that_is_away_is_unavailable_and_the_batch_can_be_sent_again(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a"))
    ingest.broker.outage = LogUnavailable()
    fault = await refused(ingest.interactions(rows.rated("u", "a")))
    assert (fault.kind, fault.reason, fault.retryable) == (Kind.UNAVAILABLE, "LOG_UNAVAILABLE", True)
    ingest.broker.outage = None
    assert (await ingest.interactions(rows.rated("u", "a"))).accepted == 1


async def test_watermarks_of_an_empty_log_have_no_newest_fact(ingest: Any, rows: Any) -> None:
    marks = await ingest.stub.GetWatermarks(pb.GetWatermarksRequest(), timeout=5)
    assert ms_of(marks.mesh_time) == rows.NOW_MS
    assert not marks.HasField("newest_occurred_at")
    assert not marks.HasField("newest_organic_at")
    assert (marks.dedup_window_s, marks.clock_fixed) == (86_400, False)


async def test_watermarks_see_what_others_append(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a", at_ms=1000))
    await ingest.interactions(rows.rated("u", "a", at_ms=2000))
    await ingest.decide(Purpose.EVALUATE, 3000)
    marks = await ingest.stub.GetWatermarks(pb.GetWatermarksRequest(), timeout=5)
    assert (ms_of(marks.newest_occurred_at), ms_of(marks.newest_organic_at)) == (3000, 2000)
    assert not marks.clock_fixed
    await ingest.decide(Purpose.SERVE, 4000)
    assert (await ingest.stub.GetWatermarks(pb.GetWatermarksRequest(), timeout=5)).clock_fixed


async def test_the_clock_is_set_and_followed_before_the_answer(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a", at_ms=1000))
    await ingest.interactions(rows.rated("u", "a", at_ms=2000))
    answer = await ingest.stub.SetClock(pb.SetClockRequest(mesh_time=at(3000), cause="import"), timeout=5)
    assert ms_of(answer.mesh_time) == 3000
    assert ingest.process.clock.now_ms() == 3000
    (event,) = on_log(ingest, CONTROL)
    assert event.clock_set.cause == "import"
    assert occurred_at_ms(event) == 3000
    # Facts without a time are stamped with it from now on, and an equal time stays allowed.
    await ingest.interactions(rows.rated("v", "a"))
    assert occurred_at_ms(on_log(ingest, ORGANIC)[-1]) in {2000, 3000}
    again = await ingest.stub.SetClock(pb.SetClockRequest(mesh_time=at(3000), cause="again"), timeout=5)
    assert ms_of(again.mesh_time) == 3000


async def test_the_clock_is_refused_before_the_newest_fact(ingest: Any, rows: Any) -> None:
    await ingest.items(rows.item("a", at_ms=5000))
    fault = await refused(ingest.stub.SetClock(pb.SetClockRequest(mesh_time=at(4999), cause="x"), timeout=5))
    assert (fault.kind, fault.reason) == (Kind.FAILED_PRECONDITION, "CLOCK_REFUSED")
    assert fault.metadata["cause"] == "BEFORE_NEWEST"
    assert fault.metadata["newest_occurred_at_ms"] == "5000"
    assert on_log(ingest, CONTROL) == []


async def test_the_clock_is_fixed_once_a_decision_was_served(ingest: Any, rows: Any) -> None:
    await ingest.decide(Purpose.EVALUATE, 10)
    await ingest.stub.SetClock(pb.SetClockRequest(mesh_time=at(3000), cause="import"), timeout=5)
    await ingest.decide(Purpose.SERVE, 4000)
    fault = await refused(ingest.stub.SetClock(pb.SetClockRequest(mesh_time=at(9000), cause="x"), timeout=5))
    assert (fault.kind, fault.reason) == (Kind.FAILED_PRECONDITION, "CLOCK_REFUSED")
    assert fault.metadata["cause"] == "CLOCK_FIXED"


@pytest.mark.parametrize(
    ("request_of", "field"),
    [
        (lambda: pb.SetClockRequest(cause="x"), "mesh_time"),
        (lambda: pb.SetClockRequest(mesh_time=at(-1000), cause="x"), "mesh_time"),
        (lambda: pb.SetClockRequest(mesh_time=at(4_102_444_800_000), cause="x"), "mesh_time"),
        (lambda: pb.SetClockRequest(mesh_time=at(1000)), "cause"),
    ],
)
async def test_a_clock_request_that_breaks_a_rule_names_the_field(ingest: Any, request_of: Any, field: str) -> None:
    fault = await refused(ingest.stub.SetClock(request_of(), timeout=5))
    assert (fault.kind, fault.reason) == (Kind.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert [violation.field for violation in fault.violations] == [field]


async def test_bad_records_on_the_log_neither_end_the_service_nor_refuse_honest_rows(
    broker: Any, wall: Any, rows: Any
) -> None:
    bad = corrupt_values(12, topic=CATALOG) + corrupt_values(12, seed=2) + poison_events(60, now_ms=rows.NOW_MS)
    inject(broker, bad)
    async with rows.running(broker, wall) as ingest:
        assert (await ingest.items(rows.item("a"))).accepted == 1
        inject(broker, odd_events(30, now_ms=rows.NOW_MS) + corrupt_values(12, seed=3, topic=CATALOG))
        assert (await ingest.items(rows.item("b"), batch=2)).accepted == 1
        assert (await ingest.interactions(rows.rated("u", "b"))).accepted == 1
