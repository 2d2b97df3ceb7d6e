"""Item columns of any rows at any hour: functions of the table's states and mesh time floored to the hour."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from loopwright.domain.enums import Mask
from loopwright.domain.vectors import F16, F64, I64, Bools
from loopwright.featurespec.catalogue import RATE_STRENGTH, CatalogueView
from loopwright.featurespec.facts import Counter
from loopwright.featurespec.finish import NO_AGE, ColumnBlock, finished
from loopwright.featurespec.groups import ITEM_COUNTS, ITEM_CREATOR, ITEM_TREND, width
from loopwright.featurespec.rings import HOUR_MS
from loopwright.featurespec.scales import log_share
from loopwright.featurespec.settled_columns import (
    LAYOUT,
    LOG_ENGAGEMENTS,
    LOG_LIKES,
    LOG_MONTH,
    LOG_WEEK,
    PLACES,
    Settled,
    settled_columns,
)
from loopwright.featurespec.table import ItemTable

_E, _L, _V = Counter.ENGAGEMENTS, Counter.LIKES, Counter.VIEWS

SettledRows = Callable[[I64, int], Settled]
"""Returns `settled_columns` of rows at an hour, by its first millisecond; the caller may write to the arrays."""


def item_columns(
    table: ItemTable, rows: I64, now_ms: int, groups: Sequence[str], settled: SettledRows | None = None
) -> ColumnBlock:
    """Return the columns of ITEM groups.

    Args:
        table: The items.
        rows: int64 [n]; -1, an item the table does not know, gives zeros marked ABSENT.
        now_ms: Mesh time; floored to the hour.
        groups: ITEM group versions, in column order.
        settled: Where the part is kept that each row decides alone; by default it is derived anew.
    """
    known = rows >= 0
    if not known.all():
        return with_unknown(item_columns(table, rows[known], now_ms, groups, settled), known, groups)
    hour_ms = now_ms - now_ms % HOUR_MS
    own = settled_columns(table, rows, hour_ms) if settled is None else settled(rows, hour_ms)
    catalogue = table.catalogue.view(hour_ms)
    for name, (first, compare) in _COMPARED.items():
        if name in groups:
            compared = compare(table, rows, hour_ms, own, catalogue)
            own.columns[:, PLACES[name].start + first :][:, : len(compared)] = compared.T
    if tuple(groups) == LAYOUT:
        return ColumnBlock(own.columns, own.ages_s, own.mask)
    places = [LAYOUT.index(name) for name in groups]
    columns = [own.columns[:, PLACES[name]] for name in groups]
    return ColumnBlock(
        np.concatenate(columns, axis=1) if columns else own.columns[:, :0], own.ages_s[:, places], own.mask[:, places]
    )


def with_unknown(block: ColumnBlock, known: Bools, groups: Sequence[str]) -> ColumnBlock:
    """Return the block of the known rows with a row of zeros marked ABSENT where `known`, bool [n], is False."""
    count = len(known)
    columns = np.zeros((count, width(groups)), dtype=np.float16)
    age = np.full((count, len(groups)), NO_AGE, dtype=np.uint32)
    mask = np.full((count, len(groups)), int(Mask.ABSENT), dtype=np.uint8)
    columns[known], age[known], mask[known] = block.columns, block.ages_s, block.mask
    return ColumnBlock(columns, age, mask)


def _counts(table: ItemTable, rows: I64, hour_ms: int, own: Settled, catalogue: CatalogueView) -> F16:
    totals = own.basis
    engaged, likes = totals[:, _E], totals[:, _L]
    rate = (likes + RATE_STRENGTH * catalogue.like_rate) / (engaged + RATE_STRENGTH)
    ratings = totals[:, Counter.RATINGS]
    gap = totals[:, Counter.RATING_SUM] / 1000.0 - ratings * catalogue.rating_mean
    mean = gap / (ratings + RATE_STRENGTH)
    variance = _squares(totals, catalogue.rating_mean) + RATE_STRENGTH * catalogue.rating_std**2
    spread = np.sqrt(np.maximum(0.0, variance / (ratings + RATE_STRENGTH) - mean**2))
    slates = totals[:, Counter.SLATE_ENGAGEMENTS] + RATE_STRENGTH * catalogue.slate_rate
    compared = [
        rate,
        rate - catalogue.like_rate,
        mean / catalogue.rating_std,
        spread / catalogue.rating_std,
        totals[:, LOG_ENGAGEMENTS] - np.log1p(catalogue.mean(_E)),
        totals[:, LOG_LIKES] - np.log1p(catalogue.mean(_L)),
        slates / (totals[:, _V] + RATE_STRENGTH),
    ]
    return finished(np.stack(compared))


def _squares(totals: F64, mean: float) -> F64:
    """Return the sum of squared distances of each row's ratings from `mean`."""
    sums = totals[:, Counter.RATING_SUM] / 1000.0
    squares = totals[:, Counter.RATING_SQUARES] / 1e6
    return np.maximum(0.0, squares - 2.0 * mean * sums + totals[:, Counter.RATINGS] * mean**2)


def _trend(table: ItemTable, rows: I64, hour_ms: int, own: Settled, catalogue: CatalogueView) -> F16:
    week, month = (table.catalogue.decayed(_E, days, hour_ms) / catalogue.items for days in (7.0, 30.0))
    compared = [own.basis[:, LOG_WEEK] - np.log1p(week), own.basis[:, LOG_MONTH] - np.log1p(month)]
    return finished(np.stack(compared))


def _creator(table: ItemTable, rows: I64, hour_ms: int, own: Settled, catalogue: CatalogueView) -> F16:
    creators, asked = table.creators, table.creator_index.take(rows)
    fewer = len(creators) < len(rows)  # then each is derived once, not once for each of its items
    number = np.arange(len(creators)) if fewer else asked
    without, prior = number == 0, catalogue.like_rate
    engaged, likes, items = (
        np.where(without, 0, counts.take(number)).astype(np.float64)
        for counts in (creators.totals[:, _E], creators.totals[:, _L], creators.items)
    )
    compared = [
        np.log1p(engaged),
        np.log1p(likes),
        (likes + RATE_STRENGTH * prior) / (engaged + RATE_STRENGTH) - prior,
        np.log1p(items),
        np.where(without, 0.0, log_share(engaged / np.maximum(items, 1.0), catalogue.mean(_E))),
    ]
    columns = finished(np.stack(compared))
    return columns.take(asked, axis=1) if fewer else columns


_COMPARED: dict[str, tuple[int, Callable[[ItemTable, I64, int, Settled, CatalogueView], F16]]] = {
    ITEM_COUNTS: (4, _counts),
    ITEM_TREND: (14, _trend),
    ITEM_CREATOR: (0, _creator),
}
"""Group -> its first column that compares, and what computes those columns as float16 [k, n]."""
