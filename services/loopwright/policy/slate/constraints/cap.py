"""`Cap`: at most so many items of a slate share a key; creator and topic caps are two of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import DropReason, MutationKind
from loopwright.pipeline.types import U64
from loopwright.policy.slate.pool import Pool


@dataclass(frozen=True, slots=True)
class Cap:
    """One cap.

    Attributes:
        mutation: What the log says when it holds an item back.
        reason: The drop reason of such an item.
        keys: uint64 [n], the key of each pool entry; key 0 is never capped.
        limit: Most items of one key in a slate; 0: no cap.
    """

    mutation: MutationKind
    reason: DropReason
    keys: Callable[[Pool], U64]
    limit: Callable[[PolicyBundle], int]
