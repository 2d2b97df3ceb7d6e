"""What is wrong with a request: raised by parsing, validation, tokens and front-door checks."""

from __future__ import annotations

from loopwright.faults.fault import Fault
from loopwright.faults.kinds import Kind, Owner


class InvalidRequest(Fault):
    """The request breaks a rule of its contract."""

    kind = Kind.INVALID_ARGUMENT
    reason = "INVALID_REQUEST"
    owner = Owner.CALLER


class RequestIdReused(InvalidRequest):
    """The request id was already used for a different request."""

    reason = "REQUEST_ID_REUSED"


class DeadlineMissing(InvalidRequest):
    """Every call must carry a deadline."""

    reason = "DEADLINE_REQUIRED"


class MalformedMessage(InvalidRequest):
    """The bytes of the message do not decode."""

    reason = "MALFORMED_MESSAGE"


class TokenInvalid(InvalidRequest):
    """The exposure token is absent, malformed, or not ours."""

    reason = "TOKEN_INVALID"


class UnknownSurface(InvalidRequest):
    """No policy bundle is active on this surface."""

    reason = "UNKNOWN_SURFACE"


class BundleInvalid(InvalidRequest):
    """The policy bundle breaks its schema or contradicts itself."""

    reason = "BUNDLE_INVALID"


class NotFound(Fault):
    """What was asked for does not exist."""

    kind = Kind.NOT_FOUND
    reason = "NOT_FOUND"
    owner = Owner.CALLER


class DecisionNotFound(NotFound):
    """No decision with this id is on the log."""

    reason = "DECISION_NOT_FOUND"


class UnknownItem(NotFound):
    """The item is not in the catalogue."""

    reason = "UNKNOWN_ITEM"


class UnknownBundle(NotFound):
    """No bundle with this policy version was published."""

    reason = "UNKNOWN_BUNDLE"


class IdCollision(Fault):
    """Another external id already has this 64-bit item id."""

    kind = Kind.ALREADY_EXISTS
    reason = "ID_COLLISION"
    owner = Owner.CALLER


class Conflict(Fault):
    """The state changed since the caller last read it."""

    kind = Kind.ABORTED
    reason = "CONFLICT"
    owner = Owner.CALLER


class ExpectedPreviousMismatch(Conflict):
    """The active policy version is not the one the caller expected."""

    reason = "EXPECTED_PREVIOUS_MISMATCH"


class TooLate(Fault):
    """The events are older than the window in which duplicates can be recognised."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TOO_LATE"
    owner = Owner.CALLER


class ClockRefused(Fault):
    """The mesh clock cannot be set to this time any more."""

    kind = Kind.FAILED_PRECONDITION
    reason = "CLOCK_REFUSED"
    owner = Owner.CALLER


class Unauthenticated(Fault):
    """The caller showed no identity that we can verify."""

    kind = Kind.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"
    owner = Owner.CALLER


class PermissionDenied(Fault):
    """The caller's identity may not call this method."""

    kind = Kind.PERMISSION_DENIED
    reason = "PERMISSION_DENIED"
    owner = Owner.CALLER
