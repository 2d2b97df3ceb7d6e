"""Faults of a training run."""

from __future__ import annotations

from loopwright.faults import Fault, Kind, Owner


class NothingToLearn(Fault):
    """The window holds no engagement with an item of the catalogue; import interactions first."""

    kind, reason, retryable, owner = Kind.FAILED_PRECONDITION, "NOTHING_TO_LEARN", False, Owner.CALLER
