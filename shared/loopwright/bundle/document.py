"""Reads a bundle from YAML or JSON text: no tags, no aliases, no duplicate keys, bounded size and depth.

`PolicyService`, the command line and the feed call `parse_bundle`; everything wrong is reported at once.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import yaml
from pydantic import ValidationError

from loopwright.bundle.model import PolicyBundle
from loopwright.bundle.rules import broken_rules
from loopwright.bundle.violations import readable, summary, violation
from loopwright.faults import BundleInvalid, FieldViolation

MAX_DOCUMENT_BYTES = 256 * 1024
"""Most bytes of a document; the same bound stands in policy_service.proto."""

MAX_DEPTH = 16
"""Deepest nesting of a document; a bundle needs 4."""


class _Unreadable(Exception):
    """The text is not a document that may be a bundle; the message says why."""


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses duplicate keys and keys that are not texts, and reads `1e-3` as a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping; every key a text, none twice."""
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _Unreadable(f"{_line(key_node.start_mark)}keys must be texts")
            if key in result:
                raise _Unreadable(f"{_line(key_node.start_mark)}duplicate key {key!r}")
            result[key] = self.construct_object(value_node, deep=True)
        return result

    def construct_yaml_map(self, node: yaml.MappingNode) -> Any:
        """Return the mapping itself; bundles hold no cycles, since aliases are refused."""
        return self.construct_mapping(node)


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_yaml_map)
# YAML 1.1 as PyYAML implements it takes exponents without a dot for texts.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def parse_bundle(document: str | bytes) -> PolicyBundle:
    """Return the bundle that a YAML or JSON document states.

    Raises:
        BundleInvalid: with every violation found, each naming its field path and rule.
    """
    try:
        data = _load(document)
        bundle = PolicyBundle.model_validate_json(json.dumps(data, default=str))
    except _Unreadable as error:
        found: tuple[FieldViolation, ...] = (violation("document", "readable", str(error)),)
        raise _invalid(found) from error
    except ValidationError as error:
        raise _invalid(readable(error)) from error
    broken = broken_rules(bundle)
    if broken:
        raise _invalid(broken)
    return bundle


def violations_of(document: str | bytes) -> tuple[FieldViolation, ...]:
    """Return every violation of a document; none when it is a valid bundle."""
    try:
        parse_bundle(document)
    except BundleInvalid as fault:
        return fault.violations
    return ()


def _load(document: str | bytes) -> Any:
    raw = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise _Unreadable(f"must be at most {MAX_DOCUMENT_BYTES} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise _Unreadable("must be UTF-8") from error
    if text.lstrip().startswith("{"):
        with suppress(json.JSONDecodeError):  # a YAML flow mapping also starts with a brace
            return _load_json(text)
    try:
        _check_events(text)
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        where = _line(getattr(error, "problem_mark", None))
        raise _Unreadable(f"{where}{getattr(error, 'problem', None) or 'must be one YAML document'}") from error
    except (ValueError, OverflowError) as error:
        raise _Unreadable("holds a scalar that cannot be read") from error


def _check_events(text: str) -> None:
    """Refuse aliases (exponential growth) and deep nesting (recursion) before anything is built."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Unreadable(f"{_line(event.start_mark)}anchors and aliases are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _Unreadable(f"{_line(event.start_mark)}nested deeper than {MAX_DEPTH}")


def _line(mark: Any) -> str:
    return f"line {mark.line + 1}: " if mark else ""


def _load_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise _Unreadable(f"nested deeper than {MAX_DEPTH}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _Unreadable(f"duplicate key {next(key for key in keys if keys.count(key) > 1)!r}")
    return result


def _invalid(violations: tuple[FieldViolation, ...]) -> BundleInvalid:
    return BundleInvalid(f"the policy bundle is invalid: {summary(violations)}", violations=violations)
