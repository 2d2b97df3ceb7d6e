"""What every conversion needs: faults that name a field, enumerations, and mesh time as Timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from loopwright.faults import FieldViolation, InvalidRequest
from loopwright.pipeline.losses import BrokenAnswer

E = TypeVar("E", bound=IntEnum)

LATEST_MS = 4_102_444_800_000
"""Mesh time ends before 2100-01-01, as the protos' validation rules say."""


def invalid(field: str, rule: str, description: str) -> InvalidRequest:
    """Return the fault for one broken field.

    Args:
        field: Path of the field in the message, such as `history.ages_s`.
        rule: Short name of the rule for programs.
        description: What is wrong, without the value.
    """
    return InvalidRequest(f"{field}: {description}", violations=[FieldViolation(field, rule, description)])


@contextmanager
def answer_of(service: str) -> Iterator[None]:
    """Turn a broken answer of a peer into the peer's fault: it is not our caller's.

    Raises:
        BrokenAnswer: The block raised InvalidRequest.
    """
    try:
        yield
    except InvalidRequest as error:
        raise BrokenAnswer(f"{service} gave a broken answer: {error.message}") from error


def parse_enum(kind: type[E], value: int, field: str) -> E:
    """Return the domain's member of a proto enumeration.

    Raises:
        InvalidRequest: The number is unspecified or unknown to this build.
    """
    try:
        return kind(value)
    except ValueError as error:
        raise invalid(field, "enum.defined_only", f"{value} is no {kind.__name__}") from error


def number(value: IntEnum) -> Any:
    """Return an enumeration's number as generated messages take it; their stubs want their own classes."""
    return int(value)


def timestamp(ms: int) -> Timestamp:
    """Return mesh milliseconds as a Timestamp."""
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


def milliseconds(value: Timestamp, field: str) -> int:
    """Return a Timestamp as mesh milliseconds, cut to the millisecond.

    Raises:
        InvalidRequest: It is before 1970, from 2100 on, or malformed.
    """
    ms = value.seconds * 1000 + value.nanos // 1_000_000
    if not (0 <= value.nanos < 1_000_000_000 and 0 <= ms < LATEST_MS):
        raise invalid(field, "timestamp.range", "must be within 1970 to 2099")
    return ms
