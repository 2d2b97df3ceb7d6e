"""`Fault`, the one exception that domain code raises, and `RemoteFault`, a peer's as its client sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from loopwright.faults.kinds import FieldViolation, Kind, Owner


class Fault(Exception):
    """A failure with a kind, a stable reason, an owner, and an answer to "may a retry help?".

    Subclasses set the class attributes. Messages reach callers: they hold no personal data and no foreign
    exception's text (the cause stays on `__cause__`, for our own log only).

    Attributes:
        message: one readable sentence; by default the first line of the class docstring.
        violations: the broken field rules, empty unless the request was malformed.
        metadata: short facts for programs, e.g. the version that was missing.
        retry_after_s: seconds to wait before a retry, None when unknown.
    """

    kind: Kind = Kind.INTERNAL
    reason: str = "INTERNAL"
    retryable: bool = False
    owner: Owner = Owner.SERVER
    default_retry_after_s: ClassVar[float | None] = None

    def __init__(
        self,
        message: str = "",
        *,
        violations: Sequence[FieldViolation] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.message = message or _first_line(type(self))
        self.violations = tuple(violations)
        self.metadata: Mapping[str, str] = MappingProxyType(dict(metadata or {}))
        self.retry_after_s = self.default_retry_after_s if retry_after_s is None else retry_after_s
        super().__init__(self.message)

    def __str__(self) -> str:
        """Returns the reason, the message, and each violation, for logs and terminals."""
        broken = "".join(f"; {v.field}: {v.description} ({v.rule})" for v in self.violations)
        return f"{self.reason}: {self.message}{broken}"


class RemoteFault(Fault):
    """A peer answered with an error, or was not reached; kind, reason and violations are the peer's own.

    Attributes:
        answered: the peer's own code said this; False when the way to it failed, or gRPC refused by itself.
    """

    owner = Owner.DEPENDENCY

    def __init__(
        self,
        message: str,
        *,
        kind: Kind,
        reason: str,
        retryable: bool = False,
        violations: Sequence[FieldViolation] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
        answered: bool = True,
    ) -> None:
        super().__init__(message, violations=violations, metadata=metadata, retry_after_s=retry_after_s)
        self.answered = answered
        self.kind = kind
        self.reason = reason
        self.retryable = retryable


def _first_line(fault: type[Fault]) -> str:
    return (fault.__doc__ or fault.reason).strip().splitlines()[0]
