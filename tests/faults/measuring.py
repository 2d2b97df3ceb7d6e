"""What the lab reads off the mesh from outside: metrics of every process, processor time, memory."""

from __future__ import annotations

import asyncio
import os
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from loopwright.localmesh.control import LocalMesh
from tests.faults.history import now_ms

Sample = dict[str, float]
"""`name{labels}` -> value."""

_LINE = re.compile(r"^([a-zA-Z_:][^ ]*?(?:\{.*?\})?) ([0-9eE.+-]+|NaN|\+Inf)(?: .*)?$")
OVERRUNS, DEPTH = "loopwright_rpc_overruns_total", "loopwright_outbox_depth"


def parse(text: str) -> Sample:
    """Return the samples of a Prometheus page."""
    found = (_LINE.match(line) for line in text.splitlines())
    return {match[1]: float(match[2]) for match in found if match}


async def scrape(mesh: LocalMesh) -> dict[str, Sample]:
    """Return process -> samples of every process of ours that answers."""
    addresses = {name: target for name, target in mesh.addresses().items() if name.endswith(".metrics")}

    def get(target: str) -> Sample:
        try:
            with urllib.request.urlopen(f"http://{target}/metrics", timeout=2.0) as page:
                return parse(page.read().decode())
        except OSError:
            return {}

    pages = await asyncio.gather(*(asyncio.to_thread(get, target) for target in addresses.values()))
    return {name.removesuffix(".metrics"): page for name, page in zip(addresses, pages, strict=True)}


def totals(pages: Mapping[str, Sample], metric: str) -> Sample:
    """Return `process{labels}` -> value of one metric."""
    return {
        name.replace(metric, process): value
        for process, page in pages.items()
        for name, value in page.items()
        if name.partition("{")[0] == metric
    }


def grown(before: Sample, after: Sample) -> Sample:
    """Return how much counters rose; one that fell was begun anew by a restart."""
    rise = {name: value - before.get(name, 0.0) for name, value in after.items()}
    return {name: after[name] if by < 0 else by for name, by in rise.items() if by}


async def waiting_records(mesh: LocalMesh) -> float:
    """Return how many records wait in outboxes."""
    return sum(totals(await scrape(mesh), DEPTH).values())


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds spent by each process so far, by pid, and when that was read."""

    at_ms: float
    seconds: Mapping[tuple[str, int], float]


def usage(mesh: LocalMesh) -> Usage:
    """Return what the mesh's processes, and this one as `load`, have spent."""
    spent: dict[tuple[str, int], float] = {}
    for name, pid in [*((name, mesh.record(name).pid) for name in mesh.names), ("load", os.getpid())]:
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent[name, pid] = times.user + times.system
    return Usage(now_ms(), spent)


def cores(before: Usage, after: Usage) -> dict[str, float]:
    """Return name -> processors busy between the two; what a process spent that ended between is not known."""
    seconds = (after.at_ms - before.at_ms) / 1000
    return {
        name: (spent - before.seconds.get((name, pid), 0.0)) / seconds for (name, pid), spent in after.seconds.items()
    }


def resident_mb(mesh: LocalMesh) -> dict[str, float]:
    """Return process -> resident memory in megabytes."""
    return {name: psutil.Process(mesh.record(name).pid).memory_info().rss / 1e6 for name in mesh.names}
