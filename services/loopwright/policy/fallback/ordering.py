"""Items of the mirror in, the fallback order of a bundle out; pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.bundle import FallbackOrder, PolicyBundle, policy_version
from loopwright.domain.enums import Exploration
from loopwright.domain.guards import ineligible
from loopwright.domain.vectors import F16, F64, I64, U64
from loopwright.featurespec.table import ItemTable
from loopwright.pipeline.plan import RETRIEVAL_HEAD
from loopwright.pipeline.types import SlateQuery
from loopwright.policy.slate import best_order

LENGTH = 1000
"""Most items of an order: a request excludes at most 1,000, and few users have seen that many of the most popular."""


@dataclass(frozen=True, slots=True)
class Popular:
    """The eligible items with the most engagement, best first; n items, copied from the mirror.

    Attributes:
        item_ids: uint64 [n].
        creator_ids: uint64 [n]; 0: none.
        first_tag_ids: uint64 [n]; 0: none.
        content: float16 [n, D], content vectors.
        popularity: float64 [n], engagements plus likes ever: the measure of the source `popularity`.
        external_ids: n texts.
    """

    item_ids: U64
    creator_ids: U64
    first_tag_ids: U64
    content: F16
    popularity: F64
    external_ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.item_ids)


def eligible_rows(table: ItemTable) -> I64:
    """Return the rows of items that may be shown to somebody: known, not withdrawn, safe and in stock."""
    eligibility = table.eligibility
    return np.flatnonzero(ineligible(eligibility, np.zeros_like(eligibility)) == 0)


def popular(table: ItemTable, most: int = LENGTH) -> Popular:
    """Return the most popular eligible items, ties by item id; to be called where the table is changed."""
    rows = eligible_rows(table)
    counts = table.engagements[rows] + table.likes[rows]
    rows = rows[np.lexsort((table.ids[rows], -counts))[:most]]
    return Popular(
        item_ids=table.ids[rows],
        creator_ids=table.creator_ids[rows],
        first_tag_ids=table.first_tag_ids[rows],
        content=table.content[rows],
        popularity=(table.engagements[rows] + table.likes[rows]).astype(np.float64),
        external_ids=table.external_ids(rows),
    )


def slate_query(items: Popular, k: int, version: str = "") -> SlateQuery:
    """Return the question for a slate of k for nobody in particular.

    The utility is the logarithm of popularity, as that of rankers is one of probabilities: diversity weighs alike.
    """
    count = len(items)
    return SlateQuery(
        policy_version=version,
        k=k,
        seed=0,
        exploration=Exploration.OFF,
        item_ids=items.item_ids,
        heads=np.log1p(items.popularity).astype(np.float32).reshape(-1, 1),
        head_names=(RETRIEVAL_HEAD,),
        creator_ids=items.creator_ids,
        first_tag_ids=items.first_tag_ids,
        eligibility=np.zeros(count, dtype=np.uint8),
        guards=np.zeros(count, dtype=np.uint8),
        content=items.content,
    )


def ordered(bundle: PolicyBundle, items: Popular) -> FallbackOrder:
    """Return the items in the order in which the bundle's slates would take them; see `best_order`."""
    version = policy_version(bundle)
    rows = best_order(bundle, slate_query(items, max(1, len(items)), version))
    return FallbackOrder.of(
        bundle.surface,
        version,
        items.item_ids[rows],
        items.creator_ids[rows],
        items.first_tag_ids[rows],
        [items.external_ids[row] for row in rows.tolist()],
    )
