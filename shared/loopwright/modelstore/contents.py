"""What an index holds, as one hash: ids and the item tower's inputs in, the index epoch out.

Retrieval keeps it current item by item; `replay` computes it whole from rebuilt rows and must get the same.
"""

from __future__ import annotations

import numpy as np
import xxhash

from loopwright.domain.vectors import F32, I64, U64
from loopwright.featurespec.history import Vocabulary
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.tower_content import rows_with_facts, tower_content

_MODULUS = 1 << 128


def item_digests(version: str, item_ids: U64, codes: I64, content: F32) -> list[int]:
    """Return one 128-bit number an item: the hash of tower version, id and the tower's input.

    Args:
        version: The two-tower model's version.
        item_ids: uint64 [n].
        codes: int64 [n] vocabulary codes, 0 = unknown.
        content: float32 [n, W].
    """
    prefix = version.encode()
    ids = np.ascontiguousarray(item_ids, dtype="<u8")
    rows = np.ascontiguousarray(content, dtype="<f4")
    return [
        xxhash.xxh3_128_intdigest(prefix + ids[i].tobytes() + int(codes[i]).to_bytes(8, "little") + rows[i].tobytes())
        for i in range(len(ids))
    ]


class Contents:
    """The running sum of item digests; a sum, so that neither order nor the way there matters."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._digests: dict[int, int] = {}
        self._sum = 0

    def __len__(self) -> int:
        return len(self._digests)

    def put(self, item_ids: U64, codes: I64, content: F32) -> None:
        """Add items, or replace the inputs of items that are already there."""
        for item, digest in zip(item_ids.tolist(), item_digests(self._version, item_ids, codes, content), strict=True):
            self._sum = (self._sum - self._digests.get(item, 0) + digest) % _MODULUS
            self._digests[item] = digest

    def epoch(self) -> str:
        """Return 32 hex digits: the hash of everything put so far."""
        return epoch_of(self._version, len(self._digests), self._sum)


def epoch_of(version: str, count: int, total: int) -> str:
    """Return the epoch of `count` items whose digests add up to `total`."""
    payload = version.encode() + count.to_bytes(8, "little") + total.to_bytes(16, "little")
    return xxhash.xxh3_128_hexdigest(payload)


def index_epoch(version: str, vocabulary: Vocabulary, content_width: int, table: ItemTable) -> str:
    """Return the epoch of an index over every catalogue item of a table.

    Args:
        version: The two-tower model's version.
        vocabulary: Its vocabulary.
        content_width: Content columns its item tower reads.
        table: The items.
    """
    rows = rows_with_facts(table)
    ids = table.ids[rows]
    return contents_hash(version, ids, vocabulary.codes(ids), tower_content(table, rows)[:, :content_width])


def contents_hash(version: str, item_ids: U64, codes: I64, content: F32) -> str:
    """Return the epoch of an index over these items; ids must be distinct."""
    total = sum(item_digests(version, item_ids, codes, content)) % _MODULUS
    return epoch_of(version, len(item_ids), total)
