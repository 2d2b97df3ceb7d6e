"""Array types, and the two views of a user that features, retrieval and the request path hand to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F16 = NDArray[np.float16]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

LIKED_FLAG = 0x40
"""Bit of `History.kinds`, and of fact kinds, that says the action counted as liked when it was recorded."""

KIND_MASK = 0x3F
"""Bits of `History.kinds` that hold the `ActionKind`."""


@dataclass(frozen=True, slots=True)
class History:
    """A user's newest actions, newest first.

    Attributes:
        item_ids: uint64 [L].
        kinds: uint8 [L]; `ActionKind`, or-ed with `LIKED_FLAG` where the action counted as liked.
        values: float32 [L]; the rating of a rating, else 1.
        ages_s: uint32 [L]; seconds before the decision's time.
    """

    item_ids: U64
    kinds: U8
    values: F32
    ages_s: U32


@dataclass(frozen=True, slots=True)
class CrossContext:
    """What item crosses need of the user; see hydration_service.proto."""

    taste: F32
    tag_ids: U64
    tag_weights: F32
    creator_ids: U64
    creator_weights: F32
    statistics: F32
    locale: str
