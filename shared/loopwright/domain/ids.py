"""Identities: item ids, subjects, decision ids, event ids and partitions, all derived by hashing.

Everyone who names a thing calls this room, so that one external id has one inner id everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import xxhash

LOGICAL_PARTITIONS = 64
"""Logical partitions of every topic, for ever; physical partitions divide this number."""

SUBJECT_BYTES = 16
DECISION_BYTES = 16
EVENT_BYTES = 16


def item_id(external_id: str) -> int:
    """Return the uint64 id of an item, xxh3 of its external id; never 0."""
    return xxhash.xxh3_64_intdigest(external_id.encode()) or 1


def name_id(name: str) -> int:
    """Return the uint64 id of a creator or tag; 0 for the empty name."""
    return (xxhash.xxh3_64_intdigest(name.encode()) or 1) if name else 0


def subject_of(external_id: str, *, anonymous: bool, key: bytes) -> bytes:
    """Return the 16-byte keyed hash by which log and stores know a user.

    Args:
        external_id: Id of the user or anonymous visitor outside the mesh.
        anonymous: Which of the two name spaces it is from.
        key: The subject key, at most 64 bytes (BLAKE2b's limit).
    """
    space = b"a:" if anonymous else b"u:"
    return hashlib.blake2b(space + external_id.encode(), digest_size=SUBJECT_BYTES, key=key).digest()


def item_key(item: int) -> bytes:
    """Return the record key of an item: 8 bytes, big-endian."""
    return item.to_bytes(8, "big")


def logical_partition(key: bytes) -> int:
    """Return the logical partition of a record key."""
    return xxhash.xxh3_64_intdigest(key) % LOGICAL_PARTITIONS


def logical_partitions(keys: Iterable[bytes]) -> list[int]:
    """Return the logical partition of each record key."""
    return [digest % LOGICAL_PARTITIONS for digest in map(xxhash.xxh3_64_intdigest, keys)]


def physical_partition(logical: int, partitions: int) -> int:
    """Return the physical partition of a logical one; `partitions` divides 64."""
    return logical % partitions


def make_decision_id(wall_ms: int, subject: bytes, entropy: bytes) -> bytes:
    """Return a decision id: wall milliseconds (6 bytes), logical partition (1), entropy (9).

    Raises:
        ValueError: `entropy` is not 9 bytes.
    """
    if len(entropy) != 9:
        raise ValueError("entropy must be 9 bytes")
    return wall_ms.to_bytes(6, "big") + bytes([logical_partition(subject)]) + entropy


def decision_wall_ms(decision_id: bytes) -> int:
    """Return the wall time of a decision's making in milliseconds; for look-ups only."""
    return int.from_bytes(decision_id[:6], "big")


def decision_partition(decision_id: bytes) -> int:
    """Return the logical partition that holds a decision."""
    return decision_id[6]


def event_id(*parts: bytes | str | int) -> bytes:
    """Return the 16-byte identity of a fact, a hash over its length-prefixed parts."""
    hashed: list[bytes] = []
    for part in parts:
        if isinstance(part, str):
            raw = part.encode()
        elif isinstance(part, int):
            raw = part.to_bytes(8, "big", signed=False)
        else:
            raw = part
        hashed += (len(raw).to_bytes(4, "big"), raw)
    return hashlib.blake2b(b"".join(hashed), digest_size=EVENT_BYTES).digest()
