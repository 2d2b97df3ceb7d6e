from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.test_requests import requests

from loopwright.api.buf.validate import validate_pb2
from loopwright.rpc.rules import Unknown, compiled
from loopwright.rpc.validation import sound, violations

# The public method's rule across fields is an expression, and a duration is only in impressions.
LEFT_TO_THE_VALIDATOR = {"RecommendRequest", "ReportImpressionsRequest"}
MALFORMED_NANOS = (-1, 10**9)
"""The validator overlooks them where a time has no lower bound; we never vouch for them."""
INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


def rules_of(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions[validate_pb2.field]


def number(field: FieldDescriptor, own: Any, dice: random.Random) -> Any:
    """Return a number within the rules, on a bound, or just outside."""
    least, most = own.gte, own.lte if own.HasField("lte") else own.gte + 100
    if field.cpp_type not in INTEGERS:
        within = dice.uniform(least, most)
        return dice.choice([within, within, least, most, most + 1e-9, float("nan"), float("inf")])
    low, high = INTEGERS[field.cpp_type]
    value = dice.choice([dice.randint(least, most), least, most, least - 1, most + 1])
    return max(low, min(high, value))


def length(least: int, most: int, dice: random.Random) -> int:
    return max(0, dice.choice([least, min(most, least + 3), most, most, most + 1, least - 1]))


def text(own: Any, dice: random.Random) -> str:
    if own.pattern:
        size = dice.choice([0, 1, 31, 32, 33, 35, 36, 64, 65])
        return "".join(dice.choice("abcdef0189") for _ in range(size)) + dice.choice(["", "", "", "\n", "é", "_", "A"])
    size = length(own.min_bytes, own.max_bytes, dice)
    return dice.choice(["a" * size, "é" * (size // 2) + "a" * (size % 2), "é" * (size // 2 + 1)])


def value(field: FieldDescriptor, rules: Any, dice: random.Random) -> Any:
    kind = rules.WhichOneof("type")
    if field.enum_type is not None:
        return dice.choice([*(v.number for v in field.enum_type.values), 1, 1, 1, 99])
    if field.type == FieldDescriptor.TYPE_BOOL:
        return dice.random() < 0.5
    if field.type == FieldDescriptor.TYPE_STRING:
        return text(rules.string, dice) if kind else "x"
    if field.type == FieldDescriptor.TYPE_BYTES:
        own = rules.bytes
        return bytes(length(own.len, own.len, dice) if own.len else length(0, min(own.max_len, 4096), dice))
    return number(field, getattr(rules, kind), dice) if kind else 1


def valid(choice: Callable[[random.Random], Any], dice: random.Random, fits: Callable[[Any], bool]) -> Any:
    """Draw until a value fits; where the dice never do, take what came."""
    drawn = choice(dice)
    for _ in range(30):
        if fits(drawn):
            break
        drawn = choice(dice)
    return drawn


def fill(message: Any, dice: random.Random, wild: float) -> None:
    """Fill a message with values that keep the rules but for a share of about `wild`."""
    for field in message.DESCRIPTOR.fields:
        rules = rules_of(field)
        if dice.random() < (0.5 if field.has_presence and not rules.required else wild / 4):
            continue
        if field.is_repeated and field.message_type is not None and field.message_type.GetOptions().map_entry:
            key, item = (field.message_type.fields_by_name[part] for part in ("key", "value"))
            for _ in range(dice.choice([0, 2, rules.map.max_pairs + (dice.random() < wild)])):
                name = one(key, rules.map.keys, dice, wild) + str(dice.random())[2:8]
                getattr(message, field.name)[name] = one(item, rules.map.values, dice, wild)
        elif field.is_repeated:
            listed, held = rules.repeated, getattr(message, field.name)
            least, most = listed.min_items, min(listed.max_items, listed.min_items + 4)
            count = length(least, listed.max_items, dice) if dice.random() < wild else dice.randint(least, most)
            for _ in range(min(count, 300)):
                if field.message_type is not None:
                    fill(held.add(), dice, wild)
                else:
                    held.append(one(field, listed.items, dice, wild))
        elif field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp":
            inside, broken = [0, 1, 1_700_000_000, 4_102_444_799], [-1, 4_102_444_800, 10**12, -(10**12)]
            held = getattr(message, field.name)
            held.SetInParent()
            held.seconds = dice.choice(broken if dice.random() < wild else inside)
            held.nanos = dice.choice([0, 1, 999_999_999, *MALFORMED_NANOS] if dice.random() < wild else [0, 1])
        elif field.message_type is not None:
            held = getattr(message, field.name)
            held.SetInParent()
            fill(held, dice, wild)
        else:
            setattr(message, field.name, one(field, rules, dice, wild))


def one(field: FieldDescriptor, rules: Any, dice: random.Random, wild: float) -> Any:
    """Draw a value; one that keeps its rules unless the dice are wild."""
    if dice.random() < wild:
        return value(field, rules, dice)
    holder = rules.WhichOneof("type")

    def fits(drawn: Any) -> bool:
        if holder in ("string", "bytes") and not getattr(rules.string, "pattern", ""):
            own, size = getattr(rules, holder), len(drawn.encode() if isinstance(drawn, str) else drawn)
            least = own.len if holder == "bytes" and own.len else getattr(own, "min_bytes", 0)
            return bool(least <= size <= (own.len or own.max_len if holder == "bytes" else own.max_bytes))
        if holder == "string":
            return len(drawn) in (0, 31, 32, 64) and drawn.isascii() and drawn.islower() | drawn.isdigit()
        if holder == "enum":
            return drawn not in (0, 99)
        own = getattr(rules, holder) if holder else None
        return own is None or bool(own.gte <= drawn <= (own.lte if own.HasField("lte") else drawn))

    return valid(lambda d: value(field, rules, d), dice, fits)


@pytest.mark.parametrize("request_type", requests(), ids=lambda message: str(message.name))
@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), wild=st.sampled_from([0.0, 0.02, 0.02, 0.2]))
def test_they_vouch_for_exactly_what_the_validator_passes(request_type: Descriptor, seed: int, wild: float) -> None:
    message = message_factory.GetMessageClass(request_type)()
    fill(message, random.Random(seed), wild)
    message = type(message).FromString(message.SerializeToString())
    vouched, passed = sound(message, message.ByteSize()), violations(message) == ()
    assert passed or not vouched
    malformed = any(f"nanos: {nanos}\n" in str(message) for nanos in MALFORMED_NANOS)
    if request_type.name not in LEFT_TO_THE_VALIDATOR and not malformed:
        assert vouched is passed


@pytest.mark.parametrize("request_type", requests(), ids=lambda message: str(message.name))
def test_the_dice_throw_valid_messages_of_every_kind(request_type: Descriptor) -> None:
    kind = message_factory.GetMessageClass(request_type)

    def thrown(seed: int) -> Any:
        message = kind()
        fill(message, random.Random(seed), 0.0)
        return message

    assert any(violations(thrown(seed)) == () for seed in range(200))


def test_a_rule_of_another_kind_leaves_the_type_to_the_validator(echo: SimpleNamespace) -> None:
    with pytest.raises(Unknown):
        compiled(echo.Request.DESCRIPTOR)
    assert not sound(echo.Request(text="x"), 3)
