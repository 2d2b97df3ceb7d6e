"""What a decision costs beside time: CPU seconds by process, bytes on the wire and in the log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from loopwright.localmesh.control import LocalMesh

CLIENT = "client (this benchmark)"
LOOPBACK = "lo"


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters at one moment.

    Attributes:
        at_s: Monotonic seconds.
        cpu_s: Process -> CPU seconds, user and system.
        wire_bytes: Bytes that crossed the loopback interface, headers included, each way once.
        log_bytes: Topic -> bytes in the broker's segment files, as compressed and batched there.
    """

    at_s: float
    cpu_s: Mapping[str, float]
    wire_bytes: int
    log_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one decision costs, the idle mesh's use taken off.

    Attributes:
        cpu_ms: Process -> CPU milliseconds.
        idle_share: Process -> share of a CPU that it uses while nothing is asked.
        wire_bytes: Bytes on the loopback interface.
        log_bytes: Topic -> bytes in the log.
    """

    cpu_ms: Mapping[str, float]
    idle_share: Mapping[str, float]
    wire_bytes: float
    log_bytes: Mapping[str, float]


def read(mesh: LocalMesh) -> Reading:
    """Return the counters now."""
    pids = {name: mesh.record(name).pid for name in mesh.names} | {CLIENT: psutil.Process().pid}
    cpu = {}
    for name, pid in pids.items():
        times = psutil.Process(pid).cpu_times()
        cpu[name] = times.user + times.system
    wire = psutil.net_io_counters(pernic=True)[LOOPBACK].bytes_sent
    return Reading(time.monotonic(), cpu, wire, _log_bytes(mesh.data_dir / "kafka"))


def cost(idle: tuple[Reading, Reading], busy: tuple[Reading, Reading], decisions: int) -> Cost:
    """Return what a decision costs, from readings around an idle and a busy stretch."""
    (idle_from, idle_to), (busy_from, busy_to) = idle, busy
    resting_s, working_s = idle_to.at_s - idle_from.at_s, busy_to.at_s - busy_from.at_s

    def per_decision(resting: float, working: float) -> float:
        return (working - resting / resting_s * working_s) / decisions

    shares = {name: (idle_to.cpu_s[name] - used) / resting_s for name, used in idle_from.cpu_s.items()}
    return Cost(
        cpu_ms={
            name: 1000 * per_decision(idle_to.cpu_s[name] - idle_from.cpu_s[name], busy_to.cpu_s[name] - used)
            for name, used in busy_from.cpu_s.items()
        },
        idle_share=shares,
        wire_bytes=per_decision(
            idle_to.wire_bytes - idle_from.wire_bytes, busy_to.wire_bytes - busy_from.wire_bytes
        ),
        log_bytes={
            topic: (size - busy_from.log_bytes.get(topic, 0)) / decisions
            for topic, size in busy_to.log_bytes.items()
        },
    )  # fmt: skip


def _log_bytes(folder: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for segment in folder.rglob("*.log"):
        topic, _, partition = segment.parent.name.rpartition("-")
        if topic and partition.isdigit():
            sizes[topic] = sizes.get(topic, 0) + segment.stat().st_size
    return sizes
