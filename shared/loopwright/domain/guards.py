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
    barred = ((seen, Guard.SEEN), (recent, Guard.RECENT), (blocked_items, Guard.BLOCKED), (excluded, Guard.EXCLUDED))
    _mark(bits, item_ids, [(ids, bit) for ids, bit in barred if len(ids)])
    creators = blocked_creators[blocked_creators != 0]
    _mark(bits, creator_ids, [(creators, Guard.BLOCKED)] if len(creators) else [])
    return bits


_SLOTS = np.uint64(2**12 - 1)
"""Last bits of an id, which is a hash: few of the ids that are not barred share them with one that is."""


def _mark(bits: U8, ids: U64, barred: list[tuple[U64, Guard]]) -> None:
    """Set in `bits` what bars each id; searches only for ids whose last bits are those of a barred one."""
    for few, bit in barred:
        taken = np.zeros(int(_SLOTS) + 1, dtype=np.bool_)
        taken[(few & _SLOTS).view(np.int64)] = True
        rows = taken[(ids & _SLOTS).view(np.int64)].nonzero()[0]
        ordered = np.sort(few)
        wanted = ids[rows]
        bits[rows[ordered[ordered[:-1].searchsorted(wanted)] == wanted]] |= np.uint8(bit)


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
