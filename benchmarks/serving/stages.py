"""Where a request's time goes: stage timings from the decisions on the log, the leaves' own from their metrics."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Mapping

from loopwright.api.common.v1 import decision_pb2
from loopwright.eventlog import DECISIONS, Event, EventLog, Offsets

_SUMS = re.compile(
    r"^(?:rpc_server_call_duration|loopwright_stage_duration)\w*_(sum|count)"
    r'\{[^}]*(?:rpc_method|stage)="([^"]+)"[^}]*\} (\S+)$',
    re.MULTILINE,
)  # fmt: skip


async def timings(log: EventLog, start: Offsets, surface: str) -> dict[str, list[float]]:
    """Return stage -> milliseconds of every decision of a surface from `start` to the present end of the log."""
    found: dict[str, list[float]] = {}
    async with log.reader([DECISIONS], start=start, stop=await log.ends([DECISIONS])) as reader:
        while not reader.done():
            for record in await reader.read():
                _note(found, record.event, surface)
    return found


def _note(found: dict[str, list[float]], event: Event, surface: str) -> None:
    if event.surface != surface:
        return
    for timing in event.slate_decided.timings:
        name = decision_pb2.Stage.Name(timing.stage).removeprefix("STAGE_").lower()
        found.setdefault(name, []).append(timing.latency_us / 1000)


def served(metrics: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """Return method of a server, and stage at the front door, -> (seconds, calls) so far.

    Args:
        metrics: Service -> `host:port` of its metrics.
    """
    found: dict[str, tuple[float, float]] = {}
    for address in metrics.values():
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        for kind, method, value in _SUMS.findall(text):
            seconds, calls = found.get(method, (0.0, 0.0))
            found[method] = (seconds + float(value), calls) if kind == "sum" else (seconds, calls + float(value))
    return found


def mean_ms(before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Return method or stage -> mean milliseconds of the calls between two readings."""
    found = {}
    for method, (seconds, calls) in after.items():
        old_seconds, old_calls = before.get(method, (0.0, 0.0))
        if calls > old_calls:
            found[method] = (seconds - old_seconds) / (calls - old_calls) * 1000
    return found
