"""The canonical form of a bundle and its hash, the policy version: equal bundles have equal bytes."""

from __future__ import annotations

import hashlib
import json

from loopwright.bundle.model import PolicyBundle


def canonical_json(bundle: PolicyBundle) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, shortest round-trip floats, no NaN, UTF-8.

    Fields left out of the document are written with their defaults, so that a default changed by a later
    build cannot change what a version means.
    """
    plain = bundle.model_dump(mode="json", by_alias=True)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def version_of(canonical: bytes) -> str:
    """Return the policy version of canonical bytes: hex sha256."""
    return hashlib.sha256(canonical).hexdigest()


def policy_version(bundle: PolicyBundle) -> str:
    """Return the policy version of a bundle."""
    return version_of(canonical_json(bundle))
