"""The front door picks the policy in force, answers repeats with what was said before, and hides nothing."""

from dataclasses import replace

import pytest
from tests.unit.pipeline.test_runner import GONE, ORDER, request, soon

from loopwright.api.policy.v1.slate_service_pb2_grpc import add_SlateServiceServicer_to_server
from loopwright.bundle import Active, FallbackOrder, default_bundle, policy_version, with_values
from loopwright.domain.enums import DegradationReason, Purpose, Stage
from loopwright.domain.ids import decision_wall_ms
from loopwright.faults import (
    BundleNotLoaded,
    DeadlineExceeded,
    LogUnavailable,
    RemoteFault,
    RequestIdReused,
    UnknownSurface,
)
from loopwright.lifecycle import FixedClock
from loopwright.pipeline.convert.answer import answer_to_proto, pack_pending, pack_stored
from loopwright.pipeline.fakes import FakeLedger, FakeWorld
from loopwright.pipeline.runner import Pipeline
from loopwright.pipeline.stages import SlateStage
from loopwright.policy.servicer import SlateServicer
from loopwright.policy.slate import Decider
from loopwright.recommender.clients import PolicyClient
from loopwright.recommender.front_door import Dice, FrontDoor, times_of
from loopwright.rpc import BreakerSettings, Deadline, Guard, Mount, RetrySettings, RpcSettings, open_channel, serving

OLD = default_bundle()
NEW = with_values(OLD, {"exploration.explore_position": 7})
BUNDLES = {policy_version(OLD): OLD, policy_version(NEW): NEW}


class Feed:
    """The part of the bundle feed that the front door reads."""

    def __init__(self, active: Active | None) -> None:
        self._active = active
        self.order: FallbackOrder | None = None
        self.caught_up_at_ms: int | None = 5_000

    def active(self, surface: str) -> Active | None:
        return self._active if surface == "home" else None

    def fallback(self, surface: str) -> FallbackOrder | None:
        return self.order

    def get(self, version: str):  # type: ignore[no-untyped-def]
        return BUNDLES.get(version)


def door(
    world: FakeWorld,
    ledger: FakeLedger | None = None,
    *,
    active: Active | None = None,
    loaded: set[str] | None = None,
    order: FallbackOrder | None = None,
    caught_up_at_ms: int | None = 5_000,
    slate: SlateStage | None = None,
) -> FrontDoor:
    known = {v: b for v, b in BUNDLES.items() if loaded is None or v in loaded}
    line = Pipeline(world, world, world, world, slate or Decider(known.get), ledger or FakeLedger())
    feed = Feed(active or Active(policy_version(NEW), policy_version(OLD), 0))
    feed.order, feed.caught_up_at_ms = order, caught_up_at_ms
    return FrontDoor(line, feed, FixedClock(5_000, offset_ms=-1_000), Dice(lambda: 99, lambda: b"123456789"))  # type: ignore[arg-type]


async def test_a_decision_is_recorded_under_the_active_policy() -> None:
    ledger = FakeLedger()
    answer = await door(FakeWorld(), ledger).recommend(request(), soon())
    record = ledger.records[0]
    assert answer.versions.policy_version == policy_version(NEW) == record.versions.policy_version
    assert record.seed == 99
    assert record.occurred_at_ms == FixedClock(5_000, offset_ms=-1_000).now_ms()
    assert decision_wall_ms(record.decision_id) == FixedClock(5_000, offset_ms=-1_000).wall_ms()
    assert answer.degradations == ()


async def test_an_unknown_surface_is_refused_by_name() -> None:
    with pytest.raises(UnknownSurface, match="jobs"):
        await door(FakeWorld()).recommend(request(surface="jobs"), soon())


async def test_a_leaf_without_the_bundle_makes_one_flagged_run_under_the_previous_one() -> None:
    ledger = FakeLedger()
    behind = door(FakeWorld(), ledger, loaded={policy_version(OLD)})
    answer = await behind.recommend(request(), soon())
    assert answer.versions.policy_version == policy_version(OLD)
    assert [d.reason for d in answer.degradations] == [DegradationReason.PREVIOUS_POLICY]
    assert ledger.records[0].degradations == answer.degradations


async def test_a_leaf_that_says_so_over_a_call_makes_the_same_run() -> None:
    leaf = SlateServicer(Decider({policy_version(OLD): OLD}.get))
    mounts, guard = (
        [Mount(add_SlateServiceServicer_to_server, leaf)],
        Guard("policy", BreakerSettings(), RetrySettings()),
    )
    async with serving(mounts, RpcSettings()) as server, open_channel(server.target) as channel:
        behind = door(FakeWorld(), slate=PolicyClient(channel.guarded(guard)))
        answer = await behind.recommend(request(), soon())
    assert answer.versions.policy_version == policy_version(OLD)
    assert [d.reason for d in answer.degradations] == [DegradationReason.PREVIOUS_POLICY]


async def test_without_a_previous_policy_the_refusal_stands() -> None:
    behind = door(FakeWorld(), loaded=set(), active=Active(policy_version(NEW), "", 0))
    with pytest.raises(BundleNotLoaded):
        await behind.recommend(request(), soon())


async def test_a_repeated_request_is_given_the_same_answer() -> None:
    first = await door(FakeWorld()).recommend(request(), soon())
    stored = pack_stored(b"h" * 16, answer_to_proto(first))
    assert stored is not None
    ledger = FakeLedger()
    again = await door(FakeWorld(stored_answer=stored), ledger).recommend(request(), soon())
    assert again == replace(first, replayed=True)
    assert ledger.records == []


async def test_a_request_id_cannot_be_used_for_another_request() -> None:
    stored = pack_stored(b"h" * 16, answer_to_proto(await door(FakeWorld()).recommend(request(), soon())))
    assert stored is not None
    with pytest.raises(RequestIdReused):
        await door(FakeWorld(stored_answer=stored)).recommend(request(request_hash=b"x" * 16), soon())


async def test_a_request_id_that_is_only_claimed_goes_through_the_pipeline_to_the_ledger() -> None:
    ledger = FakeLedger()
    world = FakeWorld(stored_answer=pack_pending(b"h" * 16, b"d" * 16))
    answer = await door(world, ledger).recommend(request(), soon())
    assert not answer.replayed
    assert len(ledger.records) == 1


async def test_judging_never_reads_a_stored_answer() -> None:
    world = FakeWorld(stored_answer=b"h" * 16 + b"junk")
    answer = await door(world).recommend(request(purpose=Purpose.EVALUATE, decide_at_ms=77), soon())
    assert not answer.replayed
    assert answer.decided_at_ms == 77


async def test_the_beginning_of_time_is_a_time_to_decide_at() -> None:
    answer = await door(FakeWorld()).recommend(request(purpose=Purpose.EVALUATE, decide_at_ms=0), soon())
    assert answer.decided_at_ms == 0


async def test_a_refused_append_is_a_refused_slate() -> None:
    with pytest.raises(LogUnavailable):
        await door(FakeWorld(), FakeLedger(LogUnavailable("gone"))).recommend(request(), soon())


async def test_a_lost_stage_is_answered_from_the_order_that_the_feed_holds() -> None:
    ledger = FakeLedger()
    answer = await door(FakeWorld(fails={"user_context": GONE}), ledger, order=ORDER).recommend(request(), soon())
    assert [item.external_id for item in answer.items] == list(ORDER.external_ids[:10])
    assert [(d.stage, d.reason) for d in answer.degradations] == [
        (Stage.HYDRATE_USER, DegradationReason.UNAVAILABLE),
        (Stage.DECIDE, DegradationReason.FALLBACK),
    ]
    assert ledger.records[0].degradations == answer.degradations
    assert answer.versions.policy_version == policy_version(NEW)
    with pytest.raises(RemoteFault):
        await door(FakeWorld(fails={"user_context": GONE}), ledger).recommend(request(), soon())


@pytest.mark.parametrize(("caught_up_at_ms", "stale"), [(4_000, False), (3_999, True), (None, True)])
async def test_a_feed_older_than_a_second_is_said_so(caught_up_at_ms: int | None, stale: bool) -> None:
    answer = await door(FakeWorld(), caught_up_at_ms=caught_up_at_ms).recommend(request(), soon())
    want = [(Stage.RECOMMEND, DegradationReason.STALE_POLICY_FEED)] if stale else []
    assert [(d.stage, d.reason) for d in answer.degradations] == want


async def test_a_caller_without_time_left_is_refused_at_once() -> None:
    world = FakeWorld()
    with pytest.raises(DeadlineExceeded):
        await door(world, order=ORDER).recommend(request(), Deadline.after(0))
    assert world.asked == []


def test_time_is_kept_for_the_record_and_for_the_way_back() -> None:
    now = [100.0]
    whole = Deadline.after(1.0, lambda: now[0])
    times = times_of(OLD, whole)
    assert times.settled.instant == pytest.approx(100.75)
    assert times.decided.instant == pytest.approx(100.75 - 0.75 * 30 / 120)
    assert times.scale == pytest.approx(750 / 120)
    hurried = times_of(OLD, Deadline.after(0.04, lambda: now[0]))
    assert hurried.scale == 1.0
    assert 100.02 < hurried.decided.instant < hurried.settled.instant < 100.04


def test_a_record_that_may_take_the_whole_time_is_left_half_of_it() -> None:
    greedy = with_values(OLD, {"deadlines_ms.record": 120})
    times = times_of(greedy, Deadline.after(1.0, lambda: 0.0))
    assert times.decided.instant == pytest.approx(0.375)
