"""Life of a process: settings, start and stop order, the mesh clock, readiness reports."""

from loopwright.eventlog import wall_now_ms
from loopwright.lifecycle.clock import FixedClock, MeshClock
from loopwright.lifecycle.process import Process, process, process_over
from loopwright.lifecycle.readiness import ReadinessView, wait_folded, wait_for
from loopwright.lifecycle.reporter import ReadinessReporter
from loopwright.lifecycle.reports import Replica, ReplicaState, Report
from loopwright.lifecycle.settings import ServiceSettings

__all__ = [
    "FixedClock",
    "MeshClock",
    "Process",
    "ReadinessReporter",
    "ReadinessView",
    "Replica",
    "ReplicaState",
    "Report",
    "ServiceSettings",
    "process",
    "process_over",
    "wait_folded",
    "wait_for",
    "wall_now_ms",
]
