"""Faults of the local machine: what keeps an embedded server from running; raised in this package only."""

from __future__ import annotations

from loopwright.faults import Fault, Kind, Owner


class ArtefactRefused(Fault):
    """A fetched file does not have the bytes that its lock names, or cannot be fetched."""

    kind = Kind.UNAVAILABLE
    reason = "ARTEFACT_REFUSED"
    owner = Owner.DEPENDENCY


class ServerNotFound(Fault):
    """No usable server binary (a Java of 17 or newer, a Redis of 7 or newer) is on this machine."""

    kind = Kind.UNAVAILABLE
    reason = "SERVER_NOT_FOUND"
    owner = Owner.SERVER


class ServerDidNotStart(Fault):
    """A process ended, or did not answer within its start-up time; the message carries the end of its log."""

    kind = Kind.UNAVAILABLE
    reason = "SERVER_DID_NOT_START"
    owner = Owner.SERVER


class UnknownProcess(Fault):
    """The mesh has no process, or no service, of this name."""

    kind = Kind.NOT_FOUND
    reason = "UNKNOWN_PROCESS"
    owner = Owner.CALLER


class OutboxStranded(Fault):
    """A replica that is not to run has left records in its outbox; nobody would append them."""

    kind = Kind.FAILED_PRECONDITION
    reason = "OUTBOX_STRANDED"
    owner = Owner.CALLER


class ProcessHeld(Fault):
    """The process is kept down by its owner, who has to release it first."""

    kind = Kind.FAILED_PRECONDITION
    reason = "PROCESS_HELD"
    owner = Owner.CALLER
