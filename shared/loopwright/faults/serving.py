"""What a service cannot do right now: raised by domain code and by the rpc chain."""

from __future__ import annotations

from loopwright.faults.fault import Fault
from loopwright.faults.kinds import Kind, Owner


class Internal(Fault):
    """Something failed that should not; the server's log has the details."""

    kind = Kind.INTERNAL
    reason = "INTERNAL"


class NotReady(Fault):
    """The service is still loading; another replica may be ready."""

    kind = Kind.UNAVAILABLE
    reason = "NOT_READY"
    retryable = True
    default_retry_after_s = 1.0


class IndexNotReady(NotReady):
    """The index has not finished loading; another replica may be ready."""

    reason = "INDEX_NOT_READY"


class BreakerOpen(Fault):
    """The peer failed several times in a row and is left alone for a moment; nothing was sent."""

    kind = Kind.UNAVAILABLE
    reason = "BREAKER_OPEN"
    retryable = True
    owner = Owner.DEPENDENCY
    default_retry_after_s = 1.0


class BundleNotLoaded(Fault):
    """The policy version of the request is not loaded here."""

    kind = Kind.FAILED_PRECONDITION
    reason = "BUNDLE_NOT_LOADED"


class ModelRejected(Fault):
    """The model failed verification and was not loaded."""

    kind = Kind.FAILED_PRECONDITION
    reason = "MODEL_REJECTED"


class ReplicaNotReady(Fault):
    """A live replica has not loaded, or has refused, what the bundle pins."""

    kind = Kind.FAILED_PRECONDITION
    reason = "REPLICA_NOT_READY"


class DeadlineExceeded(Fault):
    """The deadline passed before the work was done."""

    kind = Kind.DEADLINE
    reason = "DEADLINE_EXCEEDED"


class Overloaded(Fault):
    """The service is at its limit of concurrent work."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "OVERLOADED"
    retryable = True
    default_retry_after_s = 1.0


class MessageTooLarge(Fault):
    """The message is larger than the service accepts."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "MESSAGE_TOO_LARGE"
    owner = Owner.CALLER
