"""Faults that only policy raises; everything else comes from `loopwright.faults`."""

from __future__ import annotations

from loopwright.faults import Fault, Kind, Owner, ReplicaNotReady


class OutputNotFinite(Fault):
    """A head score or content vector is not finite; no order can be made of it."""

    kind = Kind.INTERNAL
    reason = "OUTPUT_NOT_FINITE"
    owner = Owner.DEPENDENCY


class NothingToRollBack(Fault):
    """No bundle was active before the present one."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NOTHING_TO_ROLL_BACK"
    owner = Owner.CALLER


class ReplicaPending(ReplicaNotReady):
    """A live replica is still loading what the bundle pins; the same call may succeed in a moment."""

    retryable = True
    default_retry_after_s = 0.5
