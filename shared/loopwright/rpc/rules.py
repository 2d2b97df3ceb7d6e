"""The rules of a message type as plain functions, a fifth of the validator's cost; `validation` makes and asks them.

They only ever vouch: a message that they do not vouch for is the validator's, which alone says what is wrong. Rules of
a kind that is not known here make the whole type the validator's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from loopwright.api.buf.validate import validate_pb2

Check = Callable[[Any, int], bool]
"""Takes a message and its bytes on the wire; True when the message keeps the rules."""
Holds = Callable[[Any], bool]
"""Takes one value; True when it keeps its rules."""

# The generated stubs type an extension as its bare descriptor.
_MESSAGE: Any = validate_pb2.message
_ONEOF: Any = validate_pb2.oneof
_FIELD: Any = validate_pb2.field
_CLASSES = r"(?:\[[\w.:-]+\](?:\{\d+(?:,\d+)?\})?)+"
_PLAIN_PATTERN = re.compile(rf"\^(?:{_CLASSES}|\({_CLASSES}\)\?)\$", re.ASCII)
"""Patterns that RE2 and Python read alike: ASCII classes, repeated within bounds, over the whole of the text."""
_TIMESTAMP = "google.protobuf.Timestamp"
_NUMBERS = frozenset({"uint32", "uint64", "int32", "int64", "fixed32", "fixed64", "double", "float"})
_INFINITE = float("inf")
_YEAR_1_S = -62_135_596_800
"""The earliest Timestamp, as timestamp.proto says."""


class Unknown(Exception):
    """A rule of a kind that this module does not know."""


def compiled(message: Descriptor, above: frozenset[str] = frozenset()) -> Check:
    """Returns what vouches for messages of a type.

    Args:
        message: the type.
        above: full names of the types that hold it.

    Raises:
        Unknown: the type or one that it holds has rules that only the validator knows.
    """
    options = message.GetOptions()
    if message.full_name in above or options.map_entry or options.HasExtension(_MESSAGE):
        raise Unknown(message.full_name)
    if any(oneof.GetOptions().HasExtension(_ONEOF) for oneof in message.oneofs):
        raise Unknown(message.full_name)
    found = (_field(field, above | {message.full_name}) for field in message.fields)
    checks = tuple(check for check in found if check is not None)

    def sound(value: Any, size: int) -> bool:
        for check in checks:  # noqa: SIM110 - a generator would cost as much again
            if not check(value, size):
                return False
        return True

    return sound


def _field(field: FieldDescriptor, above: frozenset[str]) -> Check | None:
    rules: Any = field.GetOptions().Extensions[_FIELD]
    name, kind = field.name, rules.WhichOneof("type")
    _only(rules, {"required", kind})
    if field.is_repeated:
        entry = field.message_type is not None and field.message_type.GetOptions().map_entry
        return _map(field, rules) if entry else _repeated(field, rules, above)
    if field.message_type is not None and field.message_type.full_name != _TIMESTAMP:
        if kind is not None:
            raise Unknown(field.full_name)
        inner = compiled(field.message_type, above)
        if rules.required:
            return lambda message, size: message.HasField(name) and inner(getattr(message, name), size)
        return lambda message, size: not message.HasField(name) or inner(getattr(message, name), size)
    holds = None if kind is None else _value(field, rules)
    if field.has_presence:
        if rules.required:
            return lambda message, size: message.HasField(name) and (holds is None or holds(getattr(message, name)))
        return holds and (lambda message, size: not message.HasField(name) or holds(getattr(message, name)))
    if rules.required:
        raise Unknown(field.full_name)
    if kind == "bytes":
        # Nothing in a message is longer than the message, and reading a bytes field copies it.
        most = rules.bytes.max_len if [rule.name for rule, _ in rules.bytes.ListFields()] == ["max_len"] else -1
        return holds and (lambda message, size: size <= most or holds(getattr(message, name)))
    return holds and (lambda message, size: holds(getattr(message, name)))


def _repeated(field: FieldDescriptor, rules: Any, above: frozenset[str]) -> Check | None:
    name, listed = field.name, rules.repeated
    if rules.required or rules.WhichOneof("type") not in (None, "repeated"):
        raise Unknown(field.full_name)
    _only(listed, {"min_items", "max_items", "items"})
    least, most = listed.min_items, listed.max_items if listed.HasField("max_items") else _INFINITE
    if field.message_type is not None:
        if listed.HasField("items"):
            raise Unknown(field.full_name)
        inner = compiled(field.message_type, above)

        def each(message: Any, size: int) -> bool:
            values = getattr(message, name)
            return least <= len(values) <= most and all([inner(value, size) for value in values])

        return each
    holds = _value(field, listed.items) if listed.HasField("items") else None

    def every(message: Any, size: int) -> bool:
        values = getattr(message, name)
        return least <= len(values) <= most and (holds is None or all(map(holds, values)))

    return every


def _map(field: FieldDescriptor, rules: Any) -> Check:
    name, mapped = field.name, rules.map
    assert field.message_type is not None
    parts = field.message_type.fields_by_name
    _only(rules, {"map"})
    _only(mapped, {"max_pairs", "keys", "values"})
    if not (mapped.HasField("max_pairs") and mapped.HasField("keys") and mapped.HasField("values")):
        raise Unknown(field.full_name)
    keys, values, most = _value(parts["key"], mapped.keys), _value(parts["value"], mapped.values), mapped.max_pairs

    def pairs(message: Any, size: int) -> bool:
        found = getattr(message, name)
        return len(found) <= most and all(map(keys, found)) and all(map(values, found.values()))

    return pairs


def _value(field: FieldDescriptor, rules: Any) -> Holds:
    kind = rules.WhichOneof("type")
    _only(rules, {"required", kind})
    if kind is None:
        raise Unknown(field.full_name)
    own = getattr(rules, kind)
    if kind in _NUMBERS:
        return _number(own)
    if kind == "string":
        return _string(own)
    if kind == "bytes":
        return _bytes(own)
    if kind == "enum":
        return _enum(field, own)
    if kind == "timestamp":
        return _timestamp(own)
    raise Unknown(field.full_name)


def _number(own: Any) -> Holds:
    # NaN is within no bounds. Bounds that exclude each other mean two ranges: nothing is within both, so they never
    # vouch.
    _only(own, {"gte", "lte", "finite"})
    least = own.gte if own.HasField("gte") else -_INFINITE
    most = own.lte if own.HasField("lte") else _INFINITE
    if "finite" in own.DESCRIPTOR.fields_by_name and own.finite:
        return lambda value: least <= value <= most and -_INFINITE < value < _INFINITE
    return lambda value: least <= value <= most


def _string(own: Any) -> Holds:
    _only(own, {"min_bytes", "max_bytes", "pattern"})
    least, most = own.min_bytes, own.max_bytes if own.HasField("max_bytes") else _INFINITE
    if own.HasField("pattern"):
        if own.HasField("min_bytes") or own.HasField("max_bytes") or not _PLAIN_PATTERN.fullmatch(own.pattern):
            raise Unknown(own.pattern)
        match = re.compile(own.pattern[1:-1]).fullmatch
        return lambda text: match(text) is not None
    return lambda text: least <= (len(text) if text.isascii() else len(text.encode())) <= most


def _bytes(own: Any) -> Holds:
    _only(own, {"len", "min_len", "max_len"})
    least, most = own.min_len, own.max_len if own.HasField("max_len") else _INFINITE
    if own.HasField("len"):
        least, most = max(least, own.len), min(most, own.len)
    return lambda data: least <= len(data) <= most


def _enum(field: FieldDescriptor, own: Any) -> Holds:
    _only(own, {"defined_only", "not_in"})
    refused = frozenset(own.not_in)
    if not own.defined_only:
        return lambda number: number not in refused
    assert field.enum_type is not None
    taken = frozenset(value.number for value in field.enum_type.values) - refused
    return taken.__contains__


def _timestamp(own: Any) -> Holds:
    _only(own, {"gte", "lt"})
    least = (own.gte.seconds, own.gte.nanos) if own.HasField("gte") else (_YEAR_1_S, 0)
    below = (own.lt.seconds, own.lt.nanos)
    if not own.HasField("lt"):
        raise Unknown("timestamp")
    return lambda value: least <= (value.seconds, value.nanos) < below and 0 <= value.nanos < 1_000_000_000


def _only(rules: Any, known: Iterable[str | None]) -> None:
    if unknown := {rule.full_name if rule.is_extension else rule.name for rule, _ in rules.ListFields()} - set(known):
        raise Unknown(", ".join(sorted(unknown)))
