"""What a store or the log did to us: raised at adapters by `translate`, and by the event log's readers."""

from __future__ import annotations

from loopwright.faults.fault import Fault
from loopwright.faults.kinds import Kind, Owner


class DependencyDown(Fault):
    """A service or store that is needed for the answer is away."""

    kind = Kind.UNAVAILABLE
    reason = "DEPENDENCY_DOWN"
    retryable = True
    owner = Owner.DEPENDENCY
    default_retry_after_s = 1.0


class FeatureStoreDown(DependencyDown):
    """The feature store refused or dropped the connection."""

    reason = "FEATURE_STORE_DOWN"


class FeatureStoreTimeout(DependencyDown):
    """The feature store did not answer within its budget."""

    reason = "FEATURE_STORE_TIMEOUT"


class LogUnavailable(DependencyDown):
    """The event log cannot be reached."""

    reason = "LOG_UNAVAILABLE"


class AppendTimeout(DependencyDown):
    """The event log did not acknowledge the record within its budget."""

    reason = "APPEND_TIMEOUT"


class OutboxFull(Fault):
    """The outbox is at its limit of bytes or age."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "OUTBOX_FULL"
    retryable = True
    owner = Owner.DEPENDENCY
    default_retry_after_s = 1.0


class CorruptRecord(Fault):
    """A stored record fails its checksum or does not decode."""

    kind = Kind.DATA_LOSS
    reason = "CORRUPT_RECORD"


class PoisonEvent(Fault):
    """An event decodes but cannot be applied."""

    kind = Kind.DATA_LOSS
    reason = "POISON_EVENT"


class UnknownPayload(Fault):
    """An event has a payload that this reader does not know and may not ignore."""

    kind = Kind.FAILED_PRECONDITION
    reason = "UNKNOWN_PAYLOAD"


class TopicsMismatch(Fault):
    """The topics do not have the partitions or settings that the mesh needs."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TOPICS_MISMATCH"
