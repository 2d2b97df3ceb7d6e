"""The one rule of who must not be shown what; the recommender's record and policy's constraints both call it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loopwright.domain.enums import DropReason, Eligibility, Guard

U64 = NDArray[np.uint64]
U8 = NDArray[np.uint8]


def guard_bits(
    item_ids: U64,
    creator_ids: U64,
    *,
    seen: U64,
    recent: U64,
    blocked_items: U64,
    blocked_creators: U64,
    excluded: U64,
) -> U8:
    """Return uint8 [n]: the `Guard` bits of each candidate.

    Args:
        item_ids: uint64 [n].
        creator_ids: uint64 [n]; 0 means no creator and is never blocked.
        seen: Ids acted on ever, or confirmed viewed lately.
        recent: Ids served within the last ten minutes.
        blocked_items: Ids the user hid, blocked or reported.
        blocked_creators: Creators the user blocked.
        excluded: Ids the request excluded.
    """
    bits = np.zeros(len(item_ids), dtype=np.uint8)
    for ids, barred, bit in (
        (item_ids, seen, Guard.SEEN),
        (item_ids, recent, Guard.RECENT),
        (item_ids, blocked_items, Guard.BLOCKED),
        (creator_ids, blocked_creators[blocked_creators != 0], Guard.BLOCKED),
        (item_ids, excluded, Guard.EXCLUDED),
    ):
        if len(barred):
            bits[_among(ids, barred)] |= np.uint8(bit)
    return bits


def _among(ids: U64, few: U64) -> NDArray[np.bool_]:
    """Return bool [n]: which ids are among the few; a search in those few, where `np.isin` would sort all."""
    ordered = np.sort(few)
    found: NDArray[np.bool_] = ordered[np.searchsorted(ordered[:-1], ids)] == ids
    return found


_ORDER: tuple[tuple[str, int, DropReason], ...] = (
    ("eligibility", Eligibility.UNKNOWN_ITEM, DropReason.UNKNOWN_ITEM),
    ("eligibility", Eligibility.WITHDRAWN, DropReason.WITHDRAWN),
    ("eligibility", Eligibility.UNSAFE, DropReason.UNSAFE),
    ("eligibility", Eligibility.OUT_OF_STOCK, DropReason.OUT_OF_STOCK),
    ("guards", Guard.EXCLUDED, DropReason.EXCLUDED),
    ("guards", Guard.BLOCKED, DropReason.BLOCKED),
    ("guards", Guard.SEEN, DropReason.SEEN),
    ("guards", Guard.RECENT, DropReason.RECENT),
)


def ineligible(eligibility: U8, guards: U8) -> U8:
    """Return uint8 [n]: the first `DropReason` that bars each candidate, 0 where none does."""
    reasons = np.zeros(len(guards), dtype=np.uint8)
    somewhere = {"eligibility": np.bitwise_or.reduce(eligibility), "guards": np.bitwise_or.reduce(guards)}
    for name, bit, reason in _ORDER:
        if somewhere[name] & np.uint8(bit):
            bits = eligibility if name == "eligibility" else guards
            reasons[(reasons == 0) & ((bits & np.uint8(bit)) != 0)] = reason
    return reasons
