"""The closed taxonomy of failures: what went wrong, whose fault it is, and which field broke which rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What sort of failure a fault is; `loopwright.rpc.status` maps each kind to one gRPC status code."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE = "DEADLINE"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    INTERNAL = "INTERNAL"
    DATA_LOSS = "DATA_LOSS"
    ALREADY_EXISTS = "ALREADY_EXISTS"


class Owner(Enum):
    """Who has to act: the caller mends the request, we mend the server, or a dependency has to come back."""

    CALLER = "CALLER"
    SERVER = "SERVER"
    DEPENDENCY = "DEPENDENCY"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One broken rule of one field.

    Attributes:
        field: path of the field from the request's root, e.g. `items[2].item_id`.
        rule: identifier of the broken rule, e.g. `uint32.lte`.
        description: one readable sentence; never contains the refused value.
    """

    field: str
    rule: str
    description: str
