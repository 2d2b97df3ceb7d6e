"""Turns what pydantic and our own rules find wrong with a bundle into readable `FieldViolation`s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from loopwright.faults import FieldViolation

_MOST_TOLD = 8
"""Violations in the sentence; gRPC trailers hold 8 KiB, and the details list the others."""

_PLAIN = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "finite_number": "must be finite",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
}
_WITH_CONTEXT = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must have at most {max_length} characters",
}


def readable(error: ValidationError) -> tuple[FieldViolation, ...]:
    """Return one violation per pydantic error; the refused value is never repeated."""
    return tuple(
        FieldViolation(_path(entry["loc"]), entry["type"], _describe(entry))
        for entry in error.errors(include_url=False, include_input=False)
    )


def violation(field: str, rule: str, description: str) -> FieldViolation:
    """Return a violation of one of our own rules."""
    return FieldViolation(field, f"bundle.{rule}", description)


def summary(violations: Sequence[FieldViolation]) -> str:
    """Return the first violations as one sentence: `exploration.slice_rate: must be at most 1`."""
    told = [f"{entry.field}: {entry.description}" for entry in violations[:_MOST_TOLD]]
    left = len(violations) - len(told)
    return "; ".join([*told, f"and {left} more"] if left else told)


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        if part == "[key]":
            continue
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or "document"


def _describe(entry: Any) -> str:
    kind, context = entry["type"], entry.get("ctx", {})
    if kind == "too_long":
        return "must be empty" if context["max_length"] == 0 else f"must have at most {context['max_length']} entries"
    if kind in _WITH_CONTEXT:
        return _WITH_CONTEXT[kind].format_map({k: _number(v) for k, v in context.items()})
    return _PLAIN.get(kind, str(entry["msg"]))


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
