"""Steps that switch the policy: whole funnels for the demo, and the explore slot moved half-way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loopwright.bundle import PolicyBundle, with_values
from loopwright.cli.clients import Bundle, policy_service
from loopwright.cli.demo.scene import ACTOR, SURFACE, Scene
from loopwright.cli.promoting import Switched, active_bundle, switch

SLOTS = (5, 8)
"""Explore positions before and after the move."""


async def log_whole_funnels(scene: Scene) -> str:
    """Activate the default bundle with every funnel logged: the demo explains and proves decisions to the end."""
    done = await _change(scene, {"funnel.rate": 1.0}, "the demo logs whole funnels")
    return f"policy {done.policy_version[:12]}"


async def move_explore_slot(scene: Scene) -> str:
    """Activate the active bundle with its explore slot elsewhere, while the mesh serves on."""

    def moved(bundle: PolicyBundle) -> dict[str, Any]:
        return {"exploration.explore_position": moved_slot(bundle.exploration.explore_position)}

    done = await _change(scene, moved, "the demo moves the explore slot")
    scene.report.facts["bundle_change"] = {"before": done.previous, "after": done.policy_version}
    return f"policy {done.previous[:12]} -> {done.policy_version[:12]}"


def moved_slot(position: int) -> int:
    """Return another explore position."""
    return SLOTS[1] if position != SLOTS[1] else SLOTS[0]


async def _change(
    scene: Scene, changes: dict[str, Any] | Callable[[PolicyBundle], dict[str, Any]], why: str
) -> Switched:
    def choose(known: list[Bundle]) -> PolicyBundle:
        bundle = active_bundle(known)
        return with_values(bundle, changes(bundle) if callable(changes) else changes)

    async with policy_service(scene.addresses["policy"], ACTOR) as client:
        return await switch(client, SURFACE, choose, reason=why)
