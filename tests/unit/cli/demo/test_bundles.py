from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from tests.unit.cli.conftest import FakeMesh

from loopwright.bundle import parse_bundle
from loopwright.cli.clients import policy_service
from loopwright.cli.demo.bundles import log_whole_funnels, move_explore_slot, moved_slot
from loopwright.cli.demo.scene import Report


def test_the_slot_always_moves() -> None:
    assert all(moved_slot(position) != position for position in range(21))


async def published(mesh: FakeMesh, act: Callable[[Any], Any]) -> list[Any]:
    scene = SimpleNamespace(addresses=mesh.addresses, report=Report())
    await act(scene)
    async with policy_service(mesh.addresses["policy"], "test") as client:
        known = await client.bundles("home", 5.0)
    assert [bundle.active for bundle in known] == [True, False]
    return [parse_bundle(bundle.document) for bundle in known]


async def test_the_demos_bundle_logs_every_funnel(mesh: FakeMesh) -> None:
    newest, default = await published(mesh, log_whole_funnels)
    assert (newest.funnel.rate, default.funnel.rate) == (1.0, 0.01)
    assert newest.exploration == default.exploration


async def test_the_second_bundle_differs_in_its_explore_slot_only(mesh: FakeMesh) -> None:
    newest, default = await published(mesh, move_explore_slot)
    assert newest.exploration.explore_position == moved_slot(default.exploration.explore_position)
    assert newest.funnel == default.funnel and newest.retrieval == default.retrieval
