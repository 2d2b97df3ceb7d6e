"""Bundles made from other bundles: pinned models, changed values, the default; promotion and tests use them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from loopwright.bundle.canonical import canonical_json
from loopwright.bundle.document import parse_bundle
from loopwright.bundle.model import PolicyBundle
from loopwright.bundle.violations import summary, violation
from loopwright.faults import BundleInvalid


def with_models(
    bundle: PolicyBundle,
    *,
    two_tower: str | None = None,
    pre_ranker: str | None = None,
    ranker: str | None = None,
) -> PolicyBundle:
    """Return the bundle with other models pinned; None keeps what was pinned, "" unpins.

    Raises:
        BundleInvalid: A version is not a hash, or only one of pre_ranker and ranker would be pinned.
    """
    changes = {"two_tower": two_tower, "pre_ranker": pre_ranker, "ranker": ranker}
    return with_values(bundle, {f"models.{k}": v for k, v in changes.items() if v is not None})


def with_values(bundle: PolicyBundle, changes: Mapping[str, Any]) -> PolicyBundle:
    """Return the bundle with fields changed, by dotted path: `{"exploration.explore_position": 7}`.

    Raises:
        BundleInvalid: A path leads nowhere, or the result breaks a rule.
    """
    data = json.loads(canonical_json(bundle))
    for path, value in changes.items():
        *parents, name = path.split(".")
        node = data
        for parent in parents:
            node = node.get(parent) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            found = violation(path, "known_path", "is not a known field")
            raise BundleInvalid(summary([found]), violations=[found])
        node[name] = value
    return parse_bundle(json.dumps(data))


def default_document() -> str:
    """Return the YAML text of the bundle that a mesh starts with."""
    return files("loopwright.bundle").joinpath("default.yaml").read_text(encoding="utf-8")


@cache
def default_bundle() -> PolicyBundle:
    """Return the bundle that a mesh starts with: surface `home`, no models pinned."""
    return parse_bundle(default_document())
