"""Steps that judge: lists of the held users against their last rows, before and after, on one state of the log."""

from __future__ import annotations

from typing import Any

from loopwright.cli.clients import Ask, front_door
from loopwright.cli.demo.ndcg import Mean, mean, paired, per_user
from loopwright.cli.demo.scene import SLATE_LENGTH, SURFACE, Scene
from loopwright.cli.recommending import ask_all


async def judge_incumbent(scene: Scene) -> str:
    """Judge the models that served, under the bundle they served under."""
    scene.incumbent = await _judge(scene, "before")
    return _finding(mean(scene.incumbent))


async def judge_successor(scene: Scene) -> str:
    """Judge the retrained models, at the same mesh time; when the gate refused them there is nothing to judge."""
    quality = scene.report.facts["quality"]
    quality["after"] = quality["difference"] = None
    if scene.training is None or not scene.training.promoted:
        return "not promoted: the incumbent's figure stands"
    after = await _judge(scene, "after")
    difference = paired(scene.incumbent, after)
    quality["difference"] = difference.document()
    return f"{_finding(mean(after))}; difference {difference.value:+.4f} ± {difference.error:.4f}"


async def _judge(scene: Scene, name: str) -> dict[str, float]:
    users = [user for user in scene.population.held if scene.population.judges(user)]
    asks = [Ask(user, SLATE_LENGTH, SURFACE, scene.judged_at_ms, record_funnel=True) for user in users]
    task = scene.progress.add_task("lists of held users", total=len(asks))
    async with front_door(scene.addresses["recommender"]) as door:
        found = await ask_all(
            door, asks, run_id=f"demo.{name}", told=lambda: scene.progress.advance(task)
        )  # fmt: skip
    values = per_user(found.lists, {user: scene.population.judges(user) for user in users})
    quality: dict[str, Any] = scene.report.facts.setdefault("quality", {})
    quality[name] = {
        **mean(values).document(),
        "degraded_users": len(found.degraded),
        "policy_versions": list(found.policy_versions),
    }
    return values


def _finding(found: Mean) -> str:
    return f"NDCG@10 {found.value:.4f} ± {found.error:.4f} over {found.users} held users"
