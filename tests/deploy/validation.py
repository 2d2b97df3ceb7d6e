"""Holds the files of `deploy/` against committed schemas, offline; deploy/schemas/README.md says whose these are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema.validators import validator_for

from tests.deploy.artefacts import DEPLOY

SCHEMAS = DEPLOY / "schemas"


@cache
def schema(name: str) -> dict[str, Any]:
    return json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))  # type: ignore[no-any-return]


def errors(name: str, content: Any) -> list[str]:
    """Return what a schema has against a file."""
    return _told(schema(name), content)


def manifest_errors(manifest: Mapping[str, Any]) -> list[str]:
    """Return what the schema of its kind has against an object of Kubernetes."""
    known = schema("kubernetes")
    kind = f"{manifest['apiVersion']} {manifest['kind']}"
    if kind not in known["kinds"]:
        return [f"{kind}: no schema is kept of it"]
    rest = {key: known[key] for key in ("$schema", "definitions")}
    return _told({**known["kinds"][kind], **rest}, manifest)


def _told(rules: Mapping[str, Any], content: Any) -> list[str]:
    # A schema says by which draft it is to be read; by another one some of its rules would be passed over.
    validator = validator_for(rules, default=None)
    if validator is None:
        raise ValueError(f"unknown draft {rules.get('$schema')}")
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(rules).iter_errors(content)]


KINDS = ("receivers", "processors", "exporters", "extensions")
ENDPOINT = {"endpoint": str}
COMPONENTS: dict[tuple[str, str], dict[str, Any]] = {
    ("receivers", "otlp"): {"protocols": {"grpc": ENDPOINT}},
    ("processors", "memory_limiter"): {"check_interval": str, "limit_mib": int, "spike_limit_mib": int},
    ("processors", "batch"): {"timeout": str, "send_batch_size": int, "send_batch_max_size": int},
    ("exporters", "otlp"): {**ENDPOINT, "tls": {"insecure": bool, "ca_file": str, "cert_file": str, "key_file": str}},
}
"""Components of the collector that we use, with the keys of each and their types, as their own READMEs say: the
collector has no schema in one file."""


def collector_errors(content: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a collector's file: unknown keys, components undeclared, unused or out of order."""
    return [*_unknown_parts(content), *_broken_pipelines(content)]


def _unknown_parts(content: Mapping[str, Any]) -> Iterator[str]:
    for section in set(content) - {*KINDS, "service"}:
        yield f"{section}: unknown section"
    for kind in KINDS:
        for name, given in content.get(kind, {}).items():
            known = COMPONENTS.get((kind, name.partition("/")[0]))
            if known is None:
                yield f"{kind}.{name}: no such component is known here"
            else:
                yield from _unknown_keys(f"{kind}.{name}", given or {}, known)
    for key in set(content.get("service", {})) - {"pipelines", "extensions", "telemetry"}:
        yield f"service.{key}: unknown key"


def _unknown_keys(place: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    for key, value in given.items():
        expected = known.get(key)
        if expected is None:
            yield f"{place}.{key}: unknown key"
        elif isinstance(expected, dict):
            yield from _unknown_keys(f"{place}.{key}", value, expected)
        elif type(value) is not expected:
            yield f"{place}.{key}: must be {expected.__name__}"


def _broken_pipelines(content: Mapping[str, Any]) -> Iterator[str]:
    pipelines = content.get("service", {}).get("pipelines", {})
    if not pipelines:
        yield "service.pipelines: there is none"
    used: set[tuple[str, str]] = {("extensions", name) for name in content.get("service", {}).get("extensions", [])}
    for name, pipeline in pipelines.items():
        if name.partition("/")[0] not in {"traces", "metrics", "logs"}:
            yield f"pipelines.{name}: no such signal"
        used |= {(kind, one) for kind in pipeline for one in pipeline[kind]}
        if not pipeline.get("receivers") or not pipeline.get("exporters"):
            yield f"pipelines.{name}: needs receivers and exporters"
        if pipeline.get("processors", [None])[0] != "memory_limiter":
            yield f"pipelines.{name}: the memory limiter comes first"
    declared = {(kind, name) for kind in KINDS for name in content.get(kind, {})}
    yield from (f"{kind}.{name}: used and not declared" for kind, name in sorted(used - declared))
    yield from (f"{kind}.{name}: declared and not used" for kind, name in sorted(declared - used))
