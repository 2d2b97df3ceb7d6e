"""Item columns of any rows at any hour: functions of the table's states and mesh time floored to the hour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from loopwright.domain.enums import Eligibility, Mask
from loopwright.domain.vectors import F64, I64, Bools
from loopwright.featurespec.catalogue import RATE_STRENGTH, CatalogueView
from loopwright.featurespec.decays import CountsView
from loopwright.featurespec.facts import Counter
from loopwright.featurespec.finish import NEVER_LOG_HOURS, ColumnBlock, ages, finished, side_by_side
from loopwright.featurespec.groups import ITEM_CONTENT, ITEM_COUNTS, ITEM_CREATOR, ITEM_TREND, width
from loopwright.featurespec.rings import DAY_MS, HOUR_MS
from loopwright.featurespec.table import ItemTable

_E, _L, _V = Counter.ENGAGEMENTS, Counter.LIKES, Counter.VIEWS
WANTED = (
    (_E, 0.25), (_E, 1.0), (_E, 3.0), (_E, 7.0), (_E, 14.0), (_E, 30.0), (_E, 90.0),
    (_L, 7.0), (_L, 30.0), (_L, 90.0), (_V, 7.0),
)  # fmt: skip
_WEEK, _MONTH = WANTED.index((_E, 7.0)), WANTED.index((_E, 30.0))
YEAR_MS = 365.25 * DAY_MS
_OLDEST, _NEWEST = 20.0, -1.0  # decades: beyond them a publication time is an error or a book


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every group's columns are computed from; `rows` has no -1."""

    table: ItemTable
    rows: I64
    now_ms: int
    counts: CountsView
    catalogue: CatalogueView


def item_columns(table: ItemTable, rows: I64, now_ms: int, groups: Sequence[str]) -> ColumnBlock:
    """Return the columns of ITEM groups.

    Args:
        table: The items.
        rows: int64 [n]; -1, an item the table does not know, gives zeros marked ABSENT.
        now_ms: Mesh time; floored to the hour.
        groups: ITEM group versions, in column order.
    """
    known = rows >= 0
    if not known.all():
        return _with_unknown(item_columns(table, rows[known], now_ms, groups), known, groups)
    hour_ms = now_ms - now_ms % HOUR_MS
    asked = _Asked(table, rows, hour_ms, table.decays.view(rows, hour_ms, WANTED), table.catalogue.view(hour_ms))
    blocks = [_BUILDERS[name](asked) for name in groups]
    return side_by_side(blocks) if blocks else _nothing(len(rows))


def _nothing(count: int) -> ColumnBlock:
    return ColumnBlock(
        np.zeros((count, 0), np.float16), np.zeros((count, 0), np.uint32), np.zeros((count, 0), np.uint8)
    )


def _with_unknown(block: ColumnBlock, known: Bools, groups: Sequence[str]) -> ColumnBlock:
    count = len(known)
    columns = np.zeros((count, width(groups)), dtype=np.float16)
    age = np.full((count, len(groups)), 0xFFFF_FFFF, dtype=np.uint32)
    mask = np.full((count, len(groups)), int(Mask.ABSENT), dtype=np.uint8)
    columns[known], age[known], mask[known] = block.columns, block.ages_s, block.mask
    return ColumnBlock(columns, age, mask)


def _block(asked: _Asked, columns: Sequence[F64], times_ms: I64, absent: Bools) -> ColumnBlock:
    age = ages(asked.now_ms, times_ms, absent | (times_ms < 0))
    return ColumnBlock(
        finished(np.column_stack(columns)), age[:, None], np.where(absent, Mask.ABSENT, 0).astype(np.uint8)[:, None]
    )


def log_share(counts: F64, mean: float) -> F64:
    """Return how an item's count compares with the catalogue's mean, whatever the size of the log."""
    return np.asarray(np.log1p(counts) - np.log1p(mean), dtype=np.float64)


def log_days(now_ms: int, times_ms: I64) -> F64:
    """Return log1p of days from each time to now; 0 for times unknown or later."""
    days = np.maximum(0.0, (now_ms - times_ms) / DAY_MS)
    return np.where(times_ms >= 0, np.log1p(days), 0.0)


def log_hours(now_ms: int, times_ms: I64) -> F64:
    """Return log1p of hours from each time to now; 12 ("never") for times unknown."""
    hours = np.maximum(0.0, (now_ms - times_ms) / HOUR_MS)
    return np.where(times_ms >= 0, np.log1p(hours), NEVER_LOG_HOURS)


def decades_since(now_ms: int, times_ms: I64) -> F64:
    """Return years / 10 from publication to now, cut to -1..20; 0 where unknown."""
    decades = np.clip((now_ms - times_ms) / (10.0 * YEAR_MS), _NEWEST, _OLDEST)
    return np.where(times_ms != -1, decades, 0.0)


def _content(asked: _Asked) -> ColumnBlock:
    table, rows = asked.table, asked.rows
    vectors, published = table.content32[rows].astype(np.float64), table.published_ms[rows]
    dated = published != -1
    columns = [
        vectors,
        table.tag_counts[rows].astype(np.float64),
        np.where(dated, np.log1p(np.maximum(0.0, (asked.now_ms - published) / DAY_MS)), 0.0),
        decades_since(asked.now_ms, published),
        dated.astype(np.float64),
    ]
    return _block(asked, columns, table.stamp_ms[rows], ~(vectors.any(axis=1) | dated))


def _counts(asked: _Asked) -> ColumnBlock:
    totals, catalogue = asked.counts.totals, asked.catalogue
    engaged, likes = totals[:, _E], totals[:, _L]
    rate = (likes + RATE_STRENGTH * catalogue.like_rate) / (engaged + RATE_STRENGTH)
    ratings = totals[:, Counter.RATINGS]
    gap = totals[:, Counter.RATING_SUM] / 1000.0 - ratings * catalogue.rating_mean
    mean = gap / (ratings + RATE_STRENGTH)
    variance = _squares(totals, catalogue.rating_mean) + RATE_STRENGTH * catalogue.rating_std**2
    spread = np.sqrt(np.maximum(0.0, variance / (ratings + RATE_STRENGTH) - mean**2))
    slates = totals[:, Counter.SLATE_ENGAGEMENTS] + RATE_STRENGTH * catalogue.slate_rate
    columns = [
        np.log1p(engaged),
        np.log1p(likes),
        np.log1p(totals[:, _V]),
        np.log1p(totals[:, Counter.NEGATIVES]),
        rate,
        rate - catalogue.like_rate,
        mean / catalogue.rating_std,
        spread / catalogue.rating_std,
        log_share(engaged, catalogue.mean(_E)),
        log_share(likes, catalogue.mean(_L)),
        slates / (totals[:, _V] + RATE_STRENGTH),
    ]
    # An item of the catalogue nobody touched has counts of zero: an observed fact, as old as the item.
    unknown = (asked.table.eligibility[asked.rows] & Eligibility.UNKNOWN_ITEM) != 0
    silent = asked.counts.fact_ms < 0
    times = np.where(silent, asked.table.first_upsert_ms[asked.rows], asked.counts.fact_ms)
    return _block(asked, columns, times, unknown & silent)


def _squares(totals: F64, mean: float) -> F64:
    """Return the sum of squared distances of each row's ratings from `mean`."""
    sums = totals[:, Counter.RATING_SUM] / 1000.0
    squares = totals[:, Counter.RATING_SQUARES] / 1e6
    return np.maximum(0.0, squares - 2.0 * mean * sums + totals[:, Counter.RATINGS] * mean**2)


def _trend(asked: _Asked) -> ColumnBlock:
    counts, decayed = asked.counts, asked.counts.decayed
    logs = np.log1p(decayed)
    day, week, month = logs[:, 1], logs[:, _WEEK], logs[:, _MONTH]
    catalogue, items = asked.table.catalogue, asked.catalogue.items
    means = [catalogue.decayed(_E, half_life, asked.now_ms) / items for half_life in (7.0, 30.0)]
    columns = [
        logs,
        day - week,
        week - month,
        month - np.log1p(counts.totals[:, _E]),
        week - np.log1p(means[0]),
        month - np.log1p(means[1]),
        log_hours(asked.now_ms, counts.last_ms),
        log_days(asked.now_ms, counts.first_ms),
    ]
    return _block(asked, columns, counts.last_ms, counts.last_ms < 0)


def _creator(asked: _Asked) -> ColumnBlock:
    creators, number = asked.table.creators, asked.table.creator_index[asked.rows]
    totals, items = creators.totals[number].astype(np.float64), creators.items[number].astype(np.float64)
    without = number == 0
    totals[without], items[without] = 0.0, 0.0
    engaged, prior = totals[:, _E], asked.catalogue.like_rate
    columns = [
        np.log1p(engaged),
        np.log1p(totals[:, _L]),
        (totals[:, _L] + RATE_STRENGTH * prior) / (engaged + RATE_STRENGTH) - prior,
        np.log1p(items),
        np.where(without, 0.0, log_share(engaged / np.maximum(items, 1.0), asked.catalogue.mean(_E))),
    ]
    return _block(asked, columns, asked.table.stamp_ms[asked.rows], without)


_BUILDERS: dict[str, Callable[[_Asked], ColumnBlock]] = {
    ITEM_CONTENT: _content,
    ITEM_COUNTS: _counts,
    ITEM_TREND: _trend,
    ITEM_CREATOR: _creator,
}
