import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.eventlog import READINESS, MemoryBroker, MemoryEventLog, Record
from loopwright.faults import DeadlineExceeded, LogUnavailable, MessageTooLarge
from loopwright.lifecycle import (
    FixedClock,
    MeshClock,
    ReadinessReporter,
    ReadinessView,
    ReplicaState,
    wait_folded,
    wait_for,
)
from loopwright.lifecycle.convert import report_from_event, report_to_event
from loopwright.lifecycle.reports import Report, report_key
from loopwright.rpc import Deadline

ENDS = {("item_rows", 0): 10, ("item_rows", 1): 4}


class Mesh:
    def __init__(self) -> None:
        self.wall = FixedClock(1_000_000)
        self.log = MemoryEventLog(MemoryBroker(partitions=2, wall_ms=self.wall.wall_ms), producer="retrieval")

    def reporter(self, replica: str = "retrieval-0") -> ReadinessReporter:
        return ReadinessReporter(self.log, MeshClock(self.wall.wall_ms), "retrieval", replica)

    def view(self) -> ReadinessView:
        return ReadinessView(self.log, self.wall.wall_ms)


def soon() -> Deadline:
    return Deadline.after(5)


async def test_a_replica_lives_from_its_first_report_until_it_stops() -> None:
    mesh = Mesh()
    async with mesh.view() as view:
        async with mesh.reporter():
            await wait_for(view, lambda v: bool(v.live("retrieval")), soon(), what="alive")
            [replica] = view.live("retrieval")
            assert (replica.name, replica.since_ms, replica.heard_at_ms) == ("retrieval-0", 1_000_000, 1_000_000)
            assert view.live("ranking") == []
        await wait_for(view, lambda v: not v.live("retrieval"), soon(), what="stopped")


async def test_a_replica_that_is_not_heard_of_for_five_seconds_is_not_live() -> None:
    mesh = Mesh()
    async with mesh.view() as view, mesh.reporter():
        await wait_for(view, lambda v: bool(v.live("retrieval")), soon(), what="alive")
        mesh.wall._now += 4_999
        assert view.live("retrieval")
        mesh.wall._now += 1
        assert not view.live("retrieval")


async def test_heartbeats_go_on() -> None:
    mesh = Mesh()
    async with mesh.view() as view, mesh.reporter():
        mesh.wall.advance(6_000)
        await wait_for(
            view, lambda v: any(r.heard_at_ms == 1_006_000 for r in v.live("retrieval")), soon(), what="next heartbeat"
        )


async def test_a_report_whose_sender_was_cancelled_goes_out_later(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = Mesh()
    append, hung = MemoryEventLog.append, asyncio.Event()

    async def hang(*_: object, **__: object) -> None:
        hung.set()
        await asyncio.sleep(60)

    async with mesh.view() as view, mesh.reporter() as reporter:
        monkeypatch.setattr(MemoryEventLog, "append", hang)
        sending = asyncio.create_task(reporter.loaded("ranker", "v1"))
        await hung.wait()
        monkeypatch.setattr(MemoryEventLog, "append", append)
        sending.cancel()
        await wait_for(view, lambda v: v.state("retrieval-0", "ranker", "v1") is not None, soon(), what="loaded")


async def test_a_heartbeat_that_fails_is_told_to_whoever_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise MessageTooLarge

    mesh = Mesh()
    reporter = await mesh.reporter().__aenter__()
    monkeypatch.setattr(MemoryEventLog, "append", refuse)
    mesh.wall.advance(6_000)
    async with asyncio.timeout(5):
        with pytest.raises(MessageTooLarge):
            await reporter.wait()


async def test_what_was_loaded_and_refused_is_told_with_its_reason() -> None:
    mesh = Mesh()
    async with mesh.view() as view, mesh.reporter() as reporter:
        await reporter.loaded("two_tower", "v1")
        await reporter.rejected("ranker", "v2", "MODEL_NOT_FINITE: golden batch")
        await wait_for(view, lambda v: v.state("retrieval-0", "ranker", "v2") is not None, soon(), what="both")
        loaded, refused = view.state("retrieval-0", "two_tower", "v1"), view.state("retrieval-0", "ranker", "v2")
        assert loaded is not None and loaded.state is ReplicaState.LOADED
        assert refused is not None and refused.state is ReplicaState.REJECTED
        assert refused.reason.startswith("MODEL_NOT_FINITE")
        assert view.state("retrieval-0", "two_tower", "v9") is None


async def test_what_a_replica_had_loaded_before_it_started_anew_does_not_count() -> None:
    mesh = Mesh()
    async with mesh.reporter() as first:
        await first.loaded("two_tower", "v1")
    mesh.log.broker.compact(READINESS)
    mesh.wall.advance(10)
    async with mesh.reporter() as second, mesh.view() as view:
        assert view.live("retrieval")
        assert view.state("retrieval-0", "two_tower", "v1") is None
        await second.loaded("two_tower", "v1")
        await wait_for(view, lambda v: v.state("retrieval-0", "two_tower", "v1") is not None, soon(), what="again")


async def test_reports_made_during_an_outage_arrive_after_it() -> None:
    mesh = Mesh()
    async with mesh.view() as view, mesh.reporter() as reporter:
        mesh.log.broker.outage = LogUnavailable()
        await reporter.loaded("bundle", "p1")
        reporter.progress("mirror", {("item_rows", 0): 1})
        mesh.log.broker.outage = None
        await wait_for(view, lambda v: v.state("retrieval-0", "bundle", "p1") is not None, soon(), what="loaded")
        await wait_for(view, lambda v: bool(v.progress("retrieval-0", "mirror")), soon(), what="progress")


async def test_a_reporter_knows_what_it_was_told_last() -> None:
    async with Mesh().reporter() as reporter:
        assert reporter.folded("mirror") == {}
        reporter.progress("mirror", {("item_rows", 0): 1})
        reporter.progress("mirror", ENDS)
        assert reporter.folded("mirror") == ENDS


async def test_an_importer_waits_until_every_live_replica_has_folded_the_ends() -> None:
    mesh = Mesh()
    shares: list[float] = []
    async with mesh.view() as view, mesh.reporter("retrieval-0") as one, mesh.reporter("retrieval-1") as two:
        one.progress("mirror", ENDS)
        two.progress("mirror", {("item_rows", 0): 10})
        with pytest.raises(DeadlineExceeded, match="retrieval-1"):
            await wait_folded(view, "retrieval", "mirror", ENDS, Deadline.after(0.6), on_progress=shares.append)
        two.progress("mirror", ENDS)
        await wait_folded(view, "retrieval", "mirror", ENDS, soon(), on_progress=shares.append)
        assert shares[-1] == 1.0
        assert all(0.0 <= share <= 1.0 for share in shares)


async def test_without_a_live_replica_nothing_is_folded() -> None:
    mesh = Mesh()
    async with mesh.view() as view:
        with pytest.raises(DeadlineExceeded, match="no live replica"):
            await wait_folded(view, "retrieval", "mirror", ENDS, Deadline.after(0.05))


async def test_progress_that_did_not_change_is_not_sent_again() -> None:
    mesh = Mesh()
    async with mesh.view() as view, mesh.reporter() as reporter:
        reporter.progress("mirror", ENDS)
        await wait_for(view, lambda v: v.progress("retrieval-0", "mirror") == ENDS, soon(), what="progress")
        before = len(mesh.log.broker.records(READINESS))
        reporter.progress("mirror", ENDS)
        await view.changed(0.6)
        assert len(mesh.log.broker.records(READINESS)) == before


reports = st.lists(
    st.builds(
        Report,
        st.sampled_from(["a-0", "a-1"]),
        st.just("a"),
        st.sampled_from(["", "bundle", "progress:mirror"]),
        st.sampled_from(["1", "7"]),
        st.sampled_from(ReplicaState),
        st.just(""),
        st.integers(0, 20),
    ),
    max_size=15,
    unique_by=lambda report: (report.replica, report.kind, report.artefact, report.reported_at_ms),
)


def folded(found: list[Report]) -> dict[str, object]:
    view = ReadinessView(MemoryEventLog(producer="a"), lambda: 21)
    for number, report in enumerate(found):
        event = report_to_event(report, number, FixedClock(0))
        view.apply(Record("readiness", 0, number, 0, report_key(report), event, b"", "", 0))
    states = {(r, a): view.state(r, "bundle", a) for r in ("a-0", "a-1") for a in ("1", "7")}
    return {"live": view.live("a"), "states": states}


@given(reports, st.randoms(use_true_random=False))
def test_the_order_in_which_partitions_are_read_does_not_matter(found: list[Report], random) -> None:  # type: ignore[no-untyped-def]
    distinct = list({(r.replica, r.kind, r.artefact if r.kind else "", r.reported_at_ms): r for r in found}.values())
    shuffled = list(distinct)
    random.shuffle(shuffled)
    assert folded(shuffled) == folded(distinct)


@given(reports)
def test_a_report_survives_its_event(found: list[Report]) -> None:
    for report in found:
        assert report_from_event(report_to_event(report, 1, FixedClock(0))) == report
