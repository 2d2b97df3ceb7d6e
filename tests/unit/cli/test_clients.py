from pathlib import Path

import pytest
from tests.recorded_decisions import ranked_bundle, recorded
from tests.unit.cli.conftest import FakeMesh

from loopwright.api.recommender.v1.recommender_service_pb2 import ExplainResponse
from loopwright.bundle import default_bundle, policy_version
from loopwright.cli.clients import Ask, front_door, policy_service
from loopwright.faults import RemoteFault
from loopwright.modelstore import ModelStore
from loopwright.pipeline.convert.decision import record_to_proto
from loopwright.pipeline.convert.degradations import versions_to_proto
from loopwright.pipeline.convert.parsing import timestamp


async def test_a_list_to_judge_is_asked_for_and_read(mesh: FakeMesh) -> None:
    async with front_door(mesh.addresses["recommender"]) as door:
        answer = await door.evaluate(Ask("u", 5, "home", decide_at_ms=1_500), "r1", 5.0)
    assert [item.external_id for item in answer.items] == ["a", "b"]
    (request,) = mesh.door.asked
    assert (request.user_id, request.request_id, request.k) == ("u", "r1", 5)
    assert request.decide_at.ToMilliseconds() == 1_500


async def test_an_explained_decision_is_the_record_that_was_made(mesh: FakeMesh, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")
    record, _ = recorded(store, ranked_bundle(store), 3)
    decided, funnel = record_to_proto(record)
    decision_id = record.decision_id.hex()
    mesh.door.decisions[decision_id] = ExplainResponse(
        decision=decided, funnel=funnel, item_ids=["x", "y"], surface="home",
        occurred_at=timestamp(record.occurred_at_ms), versions=versions_to_proto(record.versions),
    )  # fmt: skip
    async with front_door(mesh.addresses["recommender"]) as door:
        found = await door.explain(decision_id, 5.0)
        assert found.item_ids == ("x", "y")
        assert (found.record.slate, found.record.versions) == (record.slate, record.versions)
        assert found.record.candidates is not None
        with pytest.raises(RemoteFault) as caught:
            await door.explain("0" * 32, 5.0)
    assert caught.value.reason == "DECISION_NOT_FOUND"


async def test_bundles_say_who_is_active_and_who_has_them_loaded(mesh: FakeMesh) -> None:
    async with policy_service(mesh.addresses["policy"], "test") as client:
        (bundle,) = await client.bundles("home", 5.0)
    assert (bundle.version, bundle.active) == (policy_version(default_bundle()), True)
    assert set(bundle.replicas) == {"policy-0"}
