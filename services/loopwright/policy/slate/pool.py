"""`Pool`: the eligible candidates of a query, checked, in ascending item id, with utility and rank.

Item-id order makes everything after it independent of the order in which candidates came.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loopwright.bundle import PolicyBundle
from loopwright.faults import FieldViolation, InvalidRequest
from loopwright.pipeline.types import F64, U8, U64, SlateQuery
from loopwright.policy.faults import OutputNotFinite
from loopwright.policy.slate.utility import utilities

I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pool:
    """The n eligible of N candidates.

    Attributes:
        rows: int64 [n], row of each in the query.
        item_ids: uint64 [n], ascending.
        creator_ids: uint64 [n]; 0: none.
        first_tag_ids: uint64 [n]; 0: none.
        content: float64 [n, D]. The vectors are float16 with |x| <= 1, so a float64 dot product of up to 32 of
            them is exact (multiples of 2^-48 below 2^5) and cannot depend on the order of summation.
        utility: float64 [n].
        ranks: int64 [n], 1 = highest utility, ties by item id.
        by_rank: int64 [n], pool index of each rank.
    """

    rows: I64
    item_ids: U64
    creator_ids: U64
    first_tag_ids: U64
    content: F64
    utility: F64
    ranks: I64
    by_rank: I64

    def __len__(self) -> int:
        return len(self.rows)


def make_pool(bundle: PolicyBundle, query: SlateQuery, barred: U8) -> tuple[Pool, F64]:
    """Return the pool, and the utility of all N candidates (float64 [N], in the query's order).

    Args:
        bundle: The bundle in force.
        query: The candidates.
        barred: uint8 [N], 0 where a candidate is eligible.

    Raises:
        InvalidRequest: Columns differ in length, an item stands twice, k is below 1, or a weighted head is missing.
        OutputNotFinite: A head score or content vector is not finite.
    """
    _check(query)
    utility = utilities(bundle, query.heads, query.head_names)
    content = query.content.astype(np.float64)
    if not np.isfinite(query.heads).all() or not np.isfinite(content).all():
        raise OutputNotFinite()
    order = np.argsort(query.item_ids, kind="stable")
    ordered = query.item_ids[order]
    if len(ordered) > 1 and bool((ordered[1:] == ordered[:-1]).any()):
        raise _invalid("item_ids", "unique", "must not hold an item twice")
    rows = order[barred[order] == 0]
    eligible_utility = utility[rows]
    by_rank = np.argsort(-eligible_utility, kind="stable")
    ranks = np.empty(len(rows), dtype=np.int64)
    ranks[by_rank] = np.arange(1, len(rows) + 1)
    return (
        Pool(
            rows=rows,
            item_ids=query.item_ids[rows],
            creator_ids=query.creator_ids[rows],
            first_tag_ids=query.first_tag_ids[rows],
            content=content[rows],
            utility=eligible_utility,
            ranks=ranks,
            by_rank=by_rank,
        ),
        utility,
    )


def _check(query: SlateQuery) -> None:
    count = len(query.item_ids)
    if query.k < 1:
        raise _invalid("k", "gte", "must be at least 1")
    for name in ("heads", "creator_ids", "first_tag_ids", "eligibility", "guards", "content"):
        if len(getattr(query, name)) != count:
            raise _invalid(name, "length", f"must have one row per item, {count}")
    if query.heads.ndim != 2 or query.heads.shape[1] != len(query.head_names):
        raise _invalid("heads", "columns", f"must have one column per head name, {len(query.head_names)}")
    if query.content.ndim != 2:
        raise _invalid("content", "axes", "must have two axes")


def _invalid(field: str, rule: str, description: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {description}", violations=[FieldViolation(field, f"slate.{rule}", description)])
