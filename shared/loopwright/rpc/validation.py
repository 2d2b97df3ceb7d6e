"""The only module that knows protovalidate: which fields of a message break which rule of its proto.

Messages that keep their rules, which are nearly all, are vouched for by functions made from the same rules (`rules`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message
from protovalidate import Validator

from loopwright.faults import FieldViolation
from loopwright.rpc.rules import Check, Unknown, compiled

# One for the process: it keeps compiled rules (first use of a type costs milliseconds, later ones 40 us and more).
_VALIDATOR = Validator()
_CHECKS: dict[Any, Check] = {}


def sound(message: Message, size: int) -> bool:
    """Tells whether a message surely keeps its rules; False means no more than that `violations` has to say.

    Args:
        message: the message.
        size: its bytes on the wire.
    """
    check = _CHECKS.get(type(message)) or _check_of(type(message))
    return check(message, size)


def violations(message: Message) -> tuple[FieldViolation, ...]:
    """Returns every broken rule of a message, empty when it is valid. Values are never repeated in the text.

    Raises:
        protovalidate.CompilationError: the rules in the proto are themselves wrong.
    """
    return tuple(_convert(found.proto) for found in _VALIDATOR.collect_violations(message))


def warm(messages: Iterable[type[Message]]) -> None:
    """Compiles the rules of message types before the first request needs them.

    Raises:
        protovalidate.CompilationError: the rules in a proto are wrong; better at start than at a request.
    """
    for message in messages:
        _check_of(message)
        _VALIDATOR.collect_violations(message())


def request_types(service: str) -> list[type[Message]]:
    """Returns the request message types of a service, by its full name.

    Raises:
        KeyError: no generated code of this service is imported.
    """
    methods = descriptor_pool.Default().FindServiceByName(service).methods
    return [message_factory.GetMessageClass(method.input_type) for method in methods]


def _check_of(kind: Any) -> Check:
    try:
        check = compiled(kind.DESCRIPTOR)
    except Unknown:
        check = _never
    return _CHECKS.setdefault(kind, check)


def _never(message: Any, size: int) -> bool:
    return False


def _convert(found: Any) -> FieldViolation:
    rule = found.rule_id or "unknown"
    return FieldViolation(_path(found.field), rule, found.message or f"breaks the rule {rule}")


def _path(field: Any) -> str:
    """Writes a `buf.validate.FieldPath` as `items[2].labels["x"].id`."""
    parts: list[str] = []
    for element in field.elements if field is not None else ():
        parts.append(("." if parts else "") + element.field_name)
        subscript = element.subscript
        if subscript is not None:
            value = subscript.value
            parts.append(f'["{value}"]' if isinstance(value, str) else f"[{value}]")
    return "".join(parts)
