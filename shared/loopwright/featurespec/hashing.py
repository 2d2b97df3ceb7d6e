"""One hash over a set of fold states, whatever their order: how a rebuilt projection is compared with the live one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def state_hash(rows: Iterable[tuple[bytes, str, bytes]]) -> str:
    """Return hex sha256 over the rows (key, state group, state bytes), sorted by key and group."""
    digest = hashlib.sha256()
    for key, group, state in sorted(rows):
        for part in (key, group.encode(), state):
            digest.update(len(part).to_bytes(4, "big"))
            digest.update(part)
    return digest.hexdigest()
