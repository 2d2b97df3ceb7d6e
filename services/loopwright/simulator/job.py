"""`python -m loopwright.simulator.job`: runs a range of visits against a live mesh and ends.

Standard output is JSON lines: `progress` (step, done, total), then one `result`, or one `fault` and exit code 1. Logs
go to standard error. `loopwright demo` starts it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from loopwright.faults import Fault, FieldViolation, InvalidRequest
from loopwright.rpc import run
from loopwright.simulator.clients import mesh_client
from loopwright.simulator.config import SimulatorSettings
from loopwright.simulator.traffic import Traffic, TrafficRunner
from loopwright.simulator.world import Rules, World
from loopwright.telemetry import configure

REPORT_EVERY = 10
"""Visits between two progress lines."""


def main(arguments: list[str] | None = None) -> int:
    """Run the job and return its exit code."""
    options = _parser().parse_args(arguments)
    settings = SimulatorSettings()
    configure("simulator", level=settings.log_level)
    try:
        traffic = run(lambda: simulate(options, settings))
    except Fault as fault:
        tell("fault", reason=fault.reason, message=str(fault))
        return 1
    tell("result", **{column.name: getattr(traffic, column.name) for column in fields(traffic)})
    return 0


async def simulate(options: argparse.Namespace, settings: SimulatorSettings) -> Traffic:
    """Return what came of the visits that the options name.

    Raises:
        InvalidRequest: The tastes cannot be read.
    """
    world = World(read_tastes(options.tastes), options.seed, Rules(options.continuation, options.like_at))
    numbers = range(options.first, options.first + options.count)

    def told(done: int) -> None:
        if done % REPORT_EVERY == 0 or done == len(numbers):
            tell("progress", step="visits", done=done, total=len(numbers))

    async with mesh_client(settings, options.surface) as mesh:
        runner = TrafficRunner(
            world, mesh, k=options.k, in_flight=options.in_flight, retry_wait_s=settings.retry_wait_s
        )
        return await runner.run(numbers, told)


def read_tastes(path: Path) -> dict[str, dict[str, float]]:
    """Return user -> item -> rating of a JSON file of that shape.

    Raises:
        InvalidRequest: It cannot be read, is no such object, or names no user.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        tastes = {str(user): {str(i): float(r) for i, r in items.items()} for user, items in found.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _unreadable(path, "is no JSON object of user -> item -> rating") from error
    if not tastes:
        raise _unreadable(path, "names no user")
    return tastes


def _unreadable(path: Path, text: str) -> InvalidRequest:
    return InvalidRequest(f"{path.name} {text}", violations=[FieldViolation("--tastes", "tastes", text)])


def tell(event: str, **fields: Any) -> None:
    """Write one line for the process that started this one."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loopwright.simulator.job", description="Visit a live mesh.")
    parser.add_argument("--tastes", type=Path, required=True, help="JSON file: user -> item -> rating.")
    parser.add_argument("--first", type=int, default=0, help="Number of the first visit.")
    parser.add_argument("--count", type=int, required=True, help="How many visits.")
    parser.add_argument("--seed", type=int, default=1, help="Order of the users and depth of their views.")
    parser.add_argument("--k", type=int, default=20, help="Slate length asked for.")
    parser.add_argument("--surface", default="home", help="Surface visited.")
    parser.add_argument("--in-flight", type=int, default=6, help="Visits under way at once.")
    parser.add_argument("--continuation", type=float, default=Rules().continuation, help="Chance of looking further.")
    parser.add_argument("--like-at", type=float, default=Rules().like_at, help="Ratings from here on are liked.")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
