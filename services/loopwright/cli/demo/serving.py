"""Steps that serve: the simulator's users visit through the public API, half of them before the bundle changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from loopwright.cli.demo.population import LIKE_AT
from loopwright.cli.demo.scene import SLATE_LENGTH, SURFACE, DemoFailed, Scene
from loopwright.cli.jobs import JobSpec, StepBars, run_job

JOB = "loopwright.simulator.job"
ANSWERED_SHARE = 0.99
COUNTED = ("visits", "answered", "undegraded", "shown", "viewed", "clicks", "likes", "repeated_calls")


async def serve_first_half(scene: Scene) -> str:
    """Serve the first half of the requests."""
    return await _serve(scene, 0, scene.options.requests // 2)


async def serve_second_half(scene: Scene) -> str:
    """Serve the rest."""
    half = scene.options.requests // 2
    return await _serve(scene, half, scene.options.requests - half)


async def _serve(scene: Scene, first: int, count: int) -> str:
    tastes = scene.inputs / "tastes.json"
    tastes.write_text(json.dumps(scene.population.tastes), "utf-8")
    result = await run_job(job(scene, tastes, first, count), StepBars(scene.progress, "serving"))
    if result["answered"] < ANSWERED_SHARE * count:
        raise DemoFailed(f"{result['answered']} of {count} requests were answered; refused: {result['refused']}")
    add(scene.report.facts.setdefault("traffic", {}), result)
    return (
        f"{result['answered']} of {count} answered, {result['viewed']} items viewed, {result['clicks']} clicked, "
        f"{result['likes']} liked"
    )


def job(scene: Scene, tastes: Path, first: int, count: int) -> JobSpec:
    """Return the simulator's process for a range of visits."""
    arguments = {
        "--tastes": tastes, "--first": first, "--count": count, "--seed": scene.options.seed, "--k": SLATE_LENGTH,
        "--surface": SURFACE, "--in-flight": scene.options.in_flight, "--like-at": LIKE_AT,
    }  # fmt: skip
    return JobSpec(
        module=JOB,
        arguments=[str(part) for pair in arguments.items() for part in pair],
        env={
            "LOOPWRIGHT_SIMULATOR_RECOMMENDER_TARGET": scene.addresses["recommender"],
            "LOOPWRIGHT_SIMULATOR_EXPOSURE_TARGET": scene.addresses["exposure"],
        },
        log_file=scene.folder / "logs" / "simulator.log",
    )


def add(traffic: dict[str, Any], result: dict[str, Any]) -> None:
    """Add one run of the simulator to the totals."""
    for name in COUNTED:
        traffic[name] = traffic.get(name, 0) + result[name]
    for name in ("refused", "policies"):
        counts = traffic.setdefault(name, {})
        for key, count in result[name].items():
            counts[key] = counts.get(key, 0) + count
    traffic.setdefault("latencies_ms", []).extend(result["latencies_ms"].values())
    traffic.setdefault("clicked_decisions", []).extend(result["clicked_decisions"].values())
