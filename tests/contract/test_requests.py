"""Every field of every request of every service has a validation rule, and nothing in a request is without a bound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

from loopwright.api.buf.validate import validate_pb2
from loopwright.rpc.validation import violations

ROOT = Path(__file__).parents[2]
PROTOS = ROOT / "protos"
WELL_KNOWN = Path(protoc.__file__).parent / "_proto"
OPTIONAL = re.compile(r"\b(absent|default:)", re.IGNORECASE)
"""How a comment says that a message field may be left out."""
OPEN_ENUMS = {"loopwright.api.common.v1.CandidateSource"}
"""Whose numbers the domain's registry decides, when the message is parsed (ADR 0014)."""


@pytest.fixture(scope="session")
def comments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Full name of a field -> the comment above it."""
    target = tmp_path_factory.mktemp("protos") / "all.pb"
    names = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    flags = [f"-I{PROTOS}", f"-I{WELL_KNOWN}", "--include_source_info", f"--descriptor_set_out={target}"]
    assert protoc.main(["protoc", *flags, *names]) == 0
    found: dict[str, str] = {}
    for file in FileDescriptorSet.FromString(target.read_bytes()).file:
        for location in file.source_code_info.location:
            if len(location.path) == 4 and location.path[0] == 4 and location.path[2] == 2:
                message = file.message_type[location.path[1]]
                field = message.field[location.path[3]]
                found[f"{file.package}.{message.name}.{field.name}"] = location.leading_comments
    return found


def services() -> list[str]:
    """Return the full name of every service in the protos."""
    declared = re.compile(r"^package ([\w.]+);|^service (\w+)", re.MULTILINE)
    found = []
    for path in sorted(PROTOS.rglob("*_service.proto")):
        package = ""
        for match in declared.finditer(path.read_text("utf-8")):
            package = match[1] or package
            if match[2]:
                found.append(f"{package}.{match[2]}")
    return found


def imported(service: str) -> Any:
    """Return the descriptor of a service, its generated module imported."""
    area = service.split(".")[2]
    for path in sorted((ROOT / "shared" / "loopwright" / "api" / area / "v1").glob("*_service_pb2.py")):
        __import__(f"loopwright.api.{area}.v1.{path.stem}")
    return descriptor_pool.Default().FindServiceByName(service)


def requests() -> list[Descriptor]:
    """Return every request message, each once."""
    found = {m.input_type.full_name: m.input_type for service in services() for m in imported(service).methods}
    return [found[name] for name in sorted(found)]


def reachable(message: Descriptor, seen: dict[str, Descriptor] | None = None) -> dict[str, Descriptor]:
    """Return a message and every message of ours that it can hold, by name."""
    seen = {} if seen is None else seen
    if message.full_name in seen or message.full_name.startswith("google.protobuf."):
        return seen
    if not message.GetOptions().map_entry:
        seen[message.full_name] = message
    for field in message.fields:
        if field.message_type is not None:
            reachable(field.message_type, seen)
    return seen


def fields() -> list[FieldDescriptor]:
    """Return every field that a request can carry, each once."""
    found = {name: held for request in requests() for name, held in reachable(request).items()}
    return [field for name in sorted(found) for field in found[name].fields]


def rules_of(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions[validate_pb2.field]


def bounded_pattern(pattern: str) -> bool:
    """Say whether a pattern is anchored and repeats nothing without end."""
    repeated = re.sub(r"\[[^\]]*\]|\\.", "x", pattern)
    return pattern.startswith("^") and pattern.endswith("$") and not re.search(r"[*+]|\{\d+,\}", repeated)


def text_flaws(name: str, rules: Any) -> Iterator[str]:
    """Yield what a string's or bytes' rules lack."""
    limits = [
        limit for limit in ("len", "max_len", "len_bytes", "max_bytes") if rules.DESCRIPTOR.fields_by_name.get(limit)
    ]
    if not any(rules.HasField(limit) for limit in limits) and not bounded_pattern(rules.pattern):
        yield f"{name} has no upper bound"


def value_flaws(name: str, field: FieldDescriptor, rules: Any) -> Iterator[str]:
    """Yield what the rules of one value lack."""
    kind = field.type
    if kind == FieldDescriptor.TYPE_STRING:
        yield from text_flaws(name, rules.string)
    elif kind == FieldDescriptor.TYPE_BYTES:
        yield from text_flaws(name, rules.bytes)
    elif kind == FieldDescriptor.TYPE_ENUM and field.enum_type.full_name in OPEN_ENUMS:
        if 0 not in rules.enum.not_in:
            yield f"{name} takes the number of nothing"
    elif kind == FieldDescriptor.TYPE_ENUM and not rules.enum.defined_only:
        yield f"{name} takes numbers that are not defined"


def flaws(field: FieldDescriptor, comment: str) -> list[str]:
    """Return what is missing at a field."""
    rules, name = rules_of(field), field.full_name
    found: list[str] = []
    if field.type == FieldDescriptor.TYPE_BOOL and not field.is_repeated:
        return found
    entry = field.message_type is not None and field.message_type.GetOptions().map_entry
    if entry:
        if not rules.map.HasField("max_pairs"):
            found.append(f"{name} has no upper bound")
        for part, inner in (("key", rules.map.keys), ("value", rules.map.values)):
            found += value_flaws(f"{name}.{part}", field.message_type.fields_by_name[part], inner)
    elif field.is_repeated:
        if not rules.repeated.HasField("max_items"):
            found.append(f"{name} has no upper bound")
        found += value_flaws(f"{name}[]", field, rules.repeated.items)
    elif field.message_type is not None:
        if not rules.required and not OPTIONAL.search(comment):
            found.append(f"{name} is neither required nor said to be optional")
    elif not rules.WhichOneof("type"):
        found.append(f"{name} has no rule")
    else:
        found += value_flaws(name, field, rules)
    return found


def test_every_service_of_the_protos_is_looked_at() -> None:
    names = {service.rpartition(".")[2] for service in services()}
    assert {"RecommenderService", "ExposureService", "IngestService", "PolicyService", "LedgerService"} <= names
    assert (
        len(names)
        == len(services())
        == sum(len(re.findall(r"^service ", path.read_text("utf-8"), re.MULTILINE)) for path in PROTOS.rglob("*.proto"))
    )


def test_every_field_of_a_request_has_its_rule_and_its_bound(comments: dict[str, str]) -> None:
    found = [flaw for field in fields() for flaw in flaws(field, comments[field.full_name])]
    assert found == []


@pytest.mark.parametrize("request_type", requests(), ids=lambda message: str(message.name))
def test_the_rules_of_a_request_compile(request_type: Descriptor) -> None:
    violations(message_factory.GetMessageClass(request_type)())


def made_up(**kinds: tuple[int, dict[str, Any]]) -> Descriptor:
    """Return a message with these fields: type number, then the rules by path."""
    message = descriptor_pb2.DescriptorProto(name="MadeUp")
    for number, (name, (kind, rules)) in enumerate(kinds.items(), 1):
        label = FieldDescriptorProto.LABEL_REPEATED if "repeated" in name else FieldDescriptorProto.LABEL_OPTIONAL
        field = message.field.add(name=name, number=number, type=kind, label=label)  # type: ignore[arg-type]
        field.options.Extensions[validate_pb2.field].MergeFrom(validate_pb2.FieldRules(**rules))
    file = descriptor_pb2.FileDescriptorProto(name="made_up.proto", package="made.up", message_type=[message])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("made.up.MadeUp")


@pytest.mark.parametrize(
    ("name", "kind", "rules", "flaw"),
    [
        ("text", FieldDescriptor.TYPE_STRING, {}, " has no rule"),
        ("text", FieldDescriptor.TYPE_STRING, {"string": {"min_bytes": 1}}, " has no upper bound"),
        ("text", FieldDescriptor.TYPE_STRING, {"string": {"pattern": "^[a-z]+$"}}, " has no upper bound"),
        ("text", FieldDescriptor.TYPE_STRING, {"string": {"pattern": "[a-z]{1,4}"}}, " has no upper bound"),
        ("text", FieldDescriptor.TYPE_STRING, {"string": {"pattern": "^[a-z*+]{1,4}$"}}, ""),
        ("blob", FieldDescriptor.TYPE_BYTES, {"bytes": {"min_len": 1}}, " has no upper bound"),
        ("blob", FieldDescriptor.TYPE_BYTES, {"bytes": {"len": 16}}, ""),
        ("number", FieldDescriptor.TYPE_UINT32, {}, " has no rule"),
        ("flag", FieldDescriptor.TYPE_BOOL, {}, ""),
        ("repeated_number", FieldDescriptor.TYPE_UINT32, {}, " has no upper bound"),
        ("repeated_text", FieldDescriptor.TYPE_STRING, {"repeated": {"max_items": 4}}, "[] has no upper bound"),
    ],
)
def test_a_missing_rule_is_found(name: str, kind: int, rules: dict[str, Any], flaw: str) -> None:
    [field] = made_up(**{name: (kind, rules)}).fields
    assert flaws(field, "") == ([f"{field.full_name}{flaw}"] if flaw else [])
