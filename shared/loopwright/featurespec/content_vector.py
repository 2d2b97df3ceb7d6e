"""The 16-d content vector of an item: signed hashing of its tags, else of the words of its title and text."""

from __future__ import annotations

import re

import numpy as np

from loopwright.domain.ids import name_id
from loopwright.domain.vectors import F32, F64

DIMENSION = 16
MOST_WORDS = 256
_WORD = re.compile(r"\w{3,}")


def _signed_buckets(hashed: int) -> list[tuple[int, int]]:
    """Return (bucket, sign) twice: among few dimensions one bucket collides for most tags, two rarely in both."""
    parts = ((hashed >> shift) & 0xFFFF for shift in (0, 16))
    return [(part % DIMENSION, 1 if (part >> 8) & 1 else -1) for part in parts]


def sketch_of(names: list[str]) -> list[int]:
    """Return 16 integers: the sum of the names' signed buckets (feature hashing, Weinberger et al. 2009)."""
    sums = [0] * DIMENSION
    for name in names:
        for bucket, sign in _signed_buckets(name_id(name)):
            sums[bucket] += sign
    return sums


def words_of(title: str, text: str) -> list[str]:
    """Return the distinct words of three letters or more, lower case, of the text, else of the title."""
    found = _WORD.findall((text or title).lower())[:MOST_WORDS]
    return sorted(set(found))


def unit(sketch: list[int]) -> F32:
    """Return float32 [16]: the sketch at length 1; zeros for the empty one."""
    vector: F64 = np.array(sketch, dtype=np.float64)
    norm = float(np.sqrt((vector * vector).sum()))
    return (vector / norm if norm else vector).astype(np.float32)
