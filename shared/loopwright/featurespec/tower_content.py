"""What the item tower reads of an item beside its id: catalogue facts in, float32 columns out, free of time.

Retrieval embeds items with it, the trainer trains on it, and replay hashes it.
"""

from __future__ import annotations

import numpy as np

from loopwright.domain.enums import Eligibility
from loopwright.domain.vectors import F32, I64
from loopwright.featurespec.table import ItemTable

TOWER_CONTENT: tuple[str, ...] = (*(f"content_{i}" for i in range(16)), "published_decades", "has_published")
"""Names of the columns; a model that reads W columns reads the first W."""

_UNKNOWN_MS = -1
_MS_PER_YEAR = 365.25 * 86_400_000
_EPOCH_YEAR, _CENTRE_YEAR = 1970.0, 2000.0
_WIDEST_DECADES = 10.0


def tower_content(table: ItemTable, rows: I64) -> F32:
    """Return float32 [n, 18]: the content vector, decades from 2000 to publication (0 unknown), and its presence."""
    published: I64 = table.published_ms[rows]
    present = published != _UNKNOWN_MS
    years = _EPOCH_YEAR + published / _MS_PER_YEAR
    decades = np.clip((years - _CENTRE_YEAR) / 10.0, -_WIDEST_DECADES, _WIDEST_DECADES)
    dated = np.stack([np.where(present, decades, 0.0), present.astype(np.float64)], axis=1)
    return np.concatenate([table.content32[rows], dated.astype(np.float32)], axis=1)


def rows_with_facts(table: ItemTable) -> I64:
    """Return the rows of the items that the catalogue has stated at least once: what an index holds."""
    return np.flatnonzero((table.eligibility & np.uint8(Eligibility.UNKNOWN_ITEM)) == 0)
