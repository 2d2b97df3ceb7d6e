from types import SimpleNamespace

import pytest
from tests.unit.cli.conftest import FakeMesh, listed

from loopwright.cli.demo.quality import judge_incumbent, judge_successor
from loopwright.cli.demo.scene import Scene
from loopwright.domain.enums import Exploration, Purpose


@pytest.fixture
def judged(scene: Scene, mesh: FakeMesh) -> Scene:
    scene.addresses = mesh.addresses
    scene.judged_at_ms = 1_000_000
    return scene


async def test_held_users_with_a_like_to_find_are_judged_at_one_mesh_time(judged: Scene, mesh: FakeMesh) -> None:
    await judge_incumbent(judged)
    wanted = {user for user in judged.population.held if judged.population.judges(user)}
    assert wanted and {request.user_id for request in mesh.door.asked} == wanted
    for request in mesh.door.asked:
        assert (request.purpose, request.exploration) == (Purpose.EVALUATE, Exploration.OFF)
        assert (request.decide_at.ToMilliseconds(), request.record_funnel, request.k) == (1_000_000, True, 20)


async def test_after_a_promotion_the_difference_is_paired(judged: Scene, mesh: FakeMesh) -> None:
    await judge_incumbent(judged)
    likes = judged.population.judges
    mesh.door.answer = lambda request: listed(*sorted(likes(request.user_id)))
    judged.training = SimpleNamespace(promoted=True)  # type: ignore[assignment]
    await judge_successor(judged)
    quality = judged.report.facts["quality"]
    assert (quality["before"]["ndcg_at_10"], quality["after"]["ndcg_at_10"]) == (0.0, 1.0)
    assert quality["difference"]["ndcg_at_10"] == 1.0
    ids = [request.request_id for request in mesh.door.asked]
    assert len(set(ids)) == len(ids)


async def test_after_a_refusal_nothing_more_is_judged(judged: Scene, mesh: FakeMesh) -> None:
    await judge_incumbent(judged)
    asked = len(mesh.door.asked)
    judged.training = SimpleNamespace(promoted=False)  # type: ignore[assignment]
    assert "not promoted" in await judge_successor(judged)
    assert len(mesh.door.asked) == asked
    assert judged.report.facts["quality"]["after"] is None
