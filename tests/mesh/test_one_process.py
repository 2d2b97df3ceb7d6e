"""The one-process composition decides as the deployed mesh does: the same slate and record come out over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from loopwright.eventlog import DECISIONS, FUNNELS, Event
from loopwright.faults import BundleNotLoaded, DeadlineExceeded, UnknownSurface
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.composition import OneProcess, one_process
from loopwright.localmesh.composition import settling as settling_room
from loopwright.pipeline.convert.answer import answer_from_proto, answer_to_proto
from loopwright.pipeline.convert.funnel import unpack_funnel
from tests.mesh.served import Served, served
from tests.mesh.world import (
    NOW_MS,
    activate,
    dice,
    message,
    populate,
    populated,
    recorded_whole,
    request,
    soon,
    with_tiny_models,
)

EVALUATE, SIMULATE = 2, 4


@pytest.fixture
async def over_grpc(mesh: OneProcess) -> AsyncIterator[Served]:
    await activate(mesh, with_tiny_models(mesh, recorded_whole(exploration__slice_rate=0.4)))
    async with served(mesh, dice()) as found:
        yield found


def comparable(event: Event) -> Event:
    """Return a decision's event without ids and timings."""
    copy = Event()
    copy.CopyFrom(event)
    copy.ClearField("event_id")
    decided = copy.slate_decided
    for name in ("decision_id", "timings", "wall_time"):
        decided.ClearField(name)
    decided.request.ClearField("request_id")
    decided.input_digests.pop("request")  # covers both ids
    for source in decided.sources:
        source.ClearField("latency_us")
    return copy


def funnels(mesh: OneProcess) -> dict[bytes, Any]:
    """Return every funnel on the log by its decision's id."""
    parts: dict[bytes, dict[int, bytes]] = {}
    for event in mesh.broker.records(FUNNELS):
        parts.setdefault(event.funnel_chunk.decision_id, {})[event.funnel_chunk.index] = event.funnel_chunk.data
    return {key: unpack_funnel(found[i] for i in sorted(found)) for key, found in parts.items()}


@pytest.mark.parametrize("purpose", [EVALUATE, SIMULATE])
@pytest.mark.parametrize("user", ["u3", "nobody"])
async def test_one_log_one_seed_gives_one_slate_and_one_record_with_and_without_grpc(
    mesh: OneProcess, over_grpc: Served, purpose: int, user: str
) -> None:
    inside = mesh.services.recommender.door
    inside._dice = dice()  # the same dice as behind gRPC
    first = await inside.recommend(request(user, 1, purpose=purpose, record_funnel=True), soon())
    second = await over_grpc.recommender.Recommend(message(user, 2, purpose=purpose, record_funnel=True), timeout=20)
    assert first.degradations == () and len(first.items) == 10
    theirs = answer_from_proto(second)
    assert (first.items, first.versions, first.arm, first.decided_at_ms) == (
        theirs.items,
        theirs.versions,
        theirs.arm,
        theirs.decided_at_ms,
    )
    records = {event.slate_decided.decision_id: event for event in mesh.broker.records(DECISIONS)}
    mine, other = records[first.decision_id], records[theirs.decision_id]
    assert comparable(mine) == comparable(other)
    whole = funnels(mesh)
    assert whole[first.decision_id] == whole[theirs.decision_id]
    assert len(whole[first.decision_id].candidates.item_ids.data) > 8 * 50


async def test_two_meshes_that_lived_alike_serve_alike(tmp_path: Path) -> None:
    answers = []
    for name, remote in (("inside", False), ("remote", True)):
        clock = FixedClock(NOW_MS)
        async with populated(tmp_path / name, clock) as mesh:
            await activate(mesh, recorded_whole(exploration__slice_rate=0.4))
            if remote:
                async with served(mesh, dice()) as found:
                    told = [await found.recommender.Recommend(message("u5", n), timeout=20) for n in range(4)]
            else:
                told = [answer_to_proto(await mesh.recommend(request("u5", n), soon())) for n in range(4)]
            answers.append(told)
            assert len(mesh.broker.records(DECISIONS)) == 4
    assert answers[0] == answers[1]  # ids and tokens too: clock and dice are given
    assert len({item.item_id for answer in answers[0] for item in answer.items}) == 40


async def test_a_mesh_continues_a_log(tmp_path: Path, clock: FixedClock) -> None:
    async with one_process(tmp_path, wall_ms=clock.wall_ms, dice=dice()) as mesh:
        await populate(mesh)
        table, before = mesh.services.hydration.mirror.table, await mesh.recommend(request(number=1, purpose=2), soon())
        assert len(table) == 120
        broker = mesh.broker
    async with one_process(tmp_path, wall_ms=clock.wall_ms, dice=dice(), broker=broker) as mesh:
        after = await mesh.recommend(request(number=2, purpose=2), soon())
        assert [item.external_id for item in after.items] == [item.external_id for item in before.items]


async def test_faults_come_as_they_are_raised(mesh: OneProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownSurface):
        await mesh.recommend(request(surface="elsewhere"), soon())
    with pytest.raises(DeadlineExceeded):
        await mesh.recommend(request(), soon(0))
    monkeypatch.setattr(mesh.services.ranking.ranker._bundles, "_loaded", {})
    await activate(mesh, with_tiny_models(mesh, recorded_whole()))
    monkeypatch.setattr(mesh.services.ranking.ranker._bundles, "_loaded", {})
    answer = await mesh.recommend(request(number=5), soon())
    assert [(d.stage.name, d.reason.name) for d in answer.degradations] == [("RECOMMEND", "PREVIOUS_POLICY")]
    monkeypatch.setattr(mesh.services.retrieval.retriever._bundles, "_loaded", {})
    with pytest.raises(BundleNotLoaded):
        await mesh.recommend(request(number=6), soon())


async def test_a_mesh_that_cannot_settle_says_what_is_behind(mesh: OneProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling_room, "parked", _never)
    told = mesh.services.processes["projector"].readiness
    monkeypatch.setattr(type(told), "folded", lambda self, what: {})
    with pytest.raises(DeadlineExceeded, match="projector of users"):
        await mesh.settle(soon(0.05))


async def _never(store: object) -> None:
    return None
