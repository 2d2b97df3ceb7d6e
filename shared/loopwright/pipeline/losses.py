"""When a stage counts as lost: faults in, the degradation that says so out; the runner calls it.

A loss is a leaf that is away, late, overloaded or broken for this request. A missing bundle or a refused request is
none: another answer than the leaf's would hide what is wrong.
"""

from __future__ import annotations

from loopwright.domain.enums import DegradationReason, Stage
from loopwright.faults import BundleNotLoaded, DependencyDown, Fault, Internal, Kind, RemoteFault
from loopwright.pipeline.types import Degradation
from loopwright.telemetry import get_logger

log = get_logger(__name__)

RETRY_AFTER_S = 1.0
"""What a caller is told to wait when nothing stands in: a restart takes a few seconds, a breaker's probe less."""


class StageLate(DependencyDown):
    """A stage took longer than its budget while the caller still had time."""

    reason = "STAGE_LATE"
    default_retry_after_s = RETRY_AFTER_S


class StageDown(DependencyDown):
    """A stage's service went away in the middle of the call."""

    reason = "STAGE_DOWN"
    default_retry_after_s = RETRY_AFTER_S


class BrokenAnswer(Internal):
    """A stage answered with something else than it was asked for."""

    reason = "BROKEN_ANSWER"


class StageLost(Exception):
    """Ends the planned path of one request; the fallback order stands in for what is left of it."""

    def __init__(self, degradation: Degradation) -> None:
        super().__init__(degradation.stage.name)
        self.degradation = degradation


_BROKEN = frozenset({Kind.INTERNAL, Kind.DATA_LOSS})
_LOST = frozenset({Kind.UNAVAILABLE, Kind.DEADLINE, Kind.RESOURCE_EXHAUSTED}) | _BROKEN
_CUT_OFF = frozenset({Kind.ABORTED, Kind.INTERNAL})
"""Kinds of the statuses that gRPC itself gives a call whose server stopped under it: CANCELLED, UNKNOWN, INTERNAL."""


def stage_fault(stage: Stage, fault: Fault) -> Fault:
    """Return what a stage's fault means to the request, under the names that the front door knows.

    A missing bundle is one whether the leaf is in this process or behind a call.
    """
    if fault.kind is Kind.DEADLINE:
        return StageLate(f"{stage.name.lower()} took longer than its budget")
    if isinstance(fault, RemoteFault) and not fault.answered and fault.kind in _CUT_OFF:
        return StageDown(f"{stage.name.lower()} was cut off")
    if isinstance(fault, RemoteFault) and fault.reason == BundleNotLoaded.reason:
        return BundleNotLoaded(fault.message, metadata=fault.metadata)
    return fault


def loss_of(stage: Stage, fault: Fault, stands_in: str) -> Degradation:
    """Return what the record says of a lost stage.

    Args:
        stage: The stage.
        fault: How it ended.
        stands_in: What is served instead, for the log; "" when there is nothing.

    Raises:
        Fault: It is no loss, or nothing stands in; the caller is told when to come back.
    """
    if fault.kind not in _LOST:
        raise fault
    if not stands_in:
        raise told_when(fault)
    told = {"stage": stage.name.lower(), "reason": fault.reason, "instead": stands_in}
    if fault.kind in _BROKEN:
        log.error("a stage is broken", extra=told, exc_info=fault)
    else:
        log.warning("a stage is lost", extra=told)
    late = isinstance(fault, StageLate)
    return Degradation(stage, DegradationReason.TIMEOUT if late else DegradationReason.UNAVAILABLE)


def told_when(fault: Fault) -> Fault:
    """Return the fault, with a time to wait when it says that somebody is away and not for how long."""
    if fault.kind is Kind.UNAVAILABLE and fault.retry_after_s is None:
        fault.retryable, fault.retry_after_s = True, RETRY_AFTER_S
    return fault
