from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.recorded_decisions import NOW_MS, RecordedLog, ranked_bundle
from tests.unit.cli.conftest import FakeMesh

from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.cli.demo.proving import explain_one, prove_sample
from loopwright.cli.demo.scene import DemoFailed, Scene
from loopwright.domain.enums import Purpose
from loopwright.eventlog import EventLog
from loopwright.pipeline.convert.decision import record_to_proto
from loopwright.pipeline.convert.degradations import versions_to_proto
from loopwright.pipeline.convert.parsing import timestamp


@pytest.fixture
async def logged(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> RecordedLog:
    """The scene's log holds a policy, three shown decisions and one list to judge, all whole."""
    made = RecordedLog.new(scene.folder)
    bundle = ranked_bundle(made.store)
    await made.activate(bundle, NOW_MS - 1)
    for number in range(4):
        await made.decide(bundle, number, purpose=Purpose.EVALUATE if number == 3 else Purpose.SERVE)

    @asynccontextmanager
    async def log(self: Scene) -> AsyncIterator[EventLog]:
        yield made.log()

    monkeypatch.setattr(Scene, "log", log)
    return made


async def test_a_sample_covers_shown_decisions_and_lists_to_judge(scene: Scene, logged: RecordedLog) -> None:
    assert await prove_sample(scene) == "4 of 4 hold, across 1 policies and 1 rankers"
    assert scene.report.facts["proofs"]["sampled"] == 4


async def test_a_model_that_is_gone_fails_the_demo(scene: Scene, logged: RecordedLog) -> None:
    for model in (scene.folder / "models").iterdir():
        for file in model.iterdir():
            file.unlink()
    with pytest.raises(DemoFailed, match="do not verify"):
        await prove_sample(scene)


async def test_the_last_clicked_decision_is_explained_and_proven(
    scene: Scene, logged: RecordedLog, mesh: FakeMesh
) -> None:
    record = await logged.decide(ranked_bundle(logged.store), 9)
    assert record.candidates is not None
    name = record.decision_id.hex()
    decided, funnel = record_to_proto(record)
    mesh.door.decisions[name] = pb.ExplainResponse(
        decision=decided,
        funnel=funnel,
        item_ids=[f"i{row % 40}" for row in range(len(record.candidates))],
        occurred_at=timestamp(record.occurred_at_ms),
        surface=record.surface,
        versions=versions_to_proto(record.versions),
    )
    scene.addresses = mesh.addresses
    scene.report.facts["traffic"] = {"clicked_decisions": ["0" * 32, name]}
    assert "links hold" in await explain_one(scene)
    assert scene.report.facts["explained"]["decision_id"] == name


async def test_without_a_click_there_is_nothing_worth_explaining(scene: Scene) -> None:
    scene.report.facts["traffic"] = {"clicked_decisions": []}
    with pytest.raises(DemoFailed, match="clicked"):
        await explain_one(scene)
