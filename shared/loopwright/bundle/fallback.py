"""`FallbackOrder`: what a surface serves when a stage of its request path is lost.

Policy makes and appends it, `BundleFeed` reads it back for the front door, verification reads it from the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from loopwright.domain.vectors import U64
from loopwright.eventlog import Event
from loopwright.faults import CorruptRecord

ID_BYTES = 16
LABEL_DIGITS = 12
"""Hex digits of an order's id in a degradation."""


@dataclass(frozen=True, slots=True, eq=False)
class FallbackOrder:
    """Items of a surface, best first, that passed the hard constraints of a policy; n items.

    Attributes:
        surface: Where it is served.
        policy_version: Whose constraints it passed.
        order_id: 16 bytes, hash of everything else.
        item_ids: uint64 [n], distinct.
        creator_ids: uint64 [n]; 0: none.
        first_tag_ids: uint64 [n]; 0: none.
        external_ids: n texts.
    """

    surface: str
    policy_version: str
    order_id: bytes
    item_ids: U64
    creator_ids: U64
    first_tag_ids: U64
    external_ids: tuple[str, ...]

    @classmethod
    def of(
        cls,
        surface: str,
        policy_version: str,
        item_ids: U64,
        creator_ids: U64,
        first_tag_ids: U64,
        external_ids: Sequence[str],
    ) -> Self:
        """Return the order with its id."""
        digest = hashlib.blake2b(digest_size=ID_BYTES)
        digest.update(repr((surface, policy_version, tuple(external_ids))).encode())
        for ids in (item_ids, creator_ids, first_tag_ids):
            digest.update(len(ids).to_bytes(8, "little") + np.ascontiguousarray(ids, dtype="<u8").tobytes())
        lists = (item_ids, creator_ids, first_tag_ids)
        return cls(surface, policy_version, digest.digest(), *lists, tuple(external_ids))

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def epoch(self) -> str:
        """The id as 32 hex digits: it stands where a record names the index that was searched."""
        return self.order_id.hex()

    @property
    def label(self) -> str:
        """The beginning of the id, as degradations name it."""
        return self.epoch[:LABEL_DIGITS]


def order_of(event: Event) -> FallbackOrder:
    """Return the order that a FallbackPrepared event carries.

    Raises:
        CorruptRecord: Lists of different length, an item twice or without a name, or an id that is not theirs.
    """
    fact = event.fallback_prepared
    item_ids, creator_ids, first_tag_ids = (
        np.array(list(ids), dtype=np.uint64) for ids in (fact.item_ids, fact.creator_ids, fact.first_tag_ids)
    )
    order = FallbackOrder.of(fact.surface, fact.policy_version, item_ids, creator_ids, first_tag_ids, fact.external_ids)
    if not len(item_ids) == len(creator_ids) == len(first_tag_ids) == len(order.external_ids):
        raise CorruptRecord("the lists of a fallback order differ in length")
    if len(np.unique(item_ids)) != len(item_ids) or not all(order.external_ids):
        raise CorruptRecord("a fallback order holds an item twice or without a name")
    if order.order_id != fact.order_id:
        raise CorruptRecord("a fallback order's id is not that of its lists")
    return order
