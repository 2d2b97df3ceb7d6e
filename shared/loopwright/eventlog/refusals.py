"""Faults that only the event log raises; the wider ones (`AppendTimeout`, `CorruptRecord`, ...) are in `faults`."""

from __future__ import annotations

from loopwright.faults import Fault, Kind, Owner


class WriterRefused(Fault):
    """The service may not write this topic, or the topic does not carry this payload."""

    kind = Kind.INTERNAL
    reason = "WRITER_REFUSED"
    owner = Owner.SERVER


class OffsetGone(Fault):
    """The log no longer has the records that the reader was to start from."""

    kind = Kind.DATA_LOSS
    reason = "OFFSET_GONE"
    owner = Owner.SERVER
