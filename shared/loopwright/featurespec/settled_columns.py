"""What item columns need of each row alone, as of one hour: nothing that another item or the catalogue could change.

`item_columns` adds the rest. The mirror keeps this part of every row until the row changes or the hour turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loopwright.domain.enums import Eligibility, Mask
from loopwright.domain.vectors import F16, F64, I64, U8, U32, Bools
from loopwright.featurespec.facts import COUNTERS, Counter
from loopwright.featurespec.finish import ages, finished
from loopwright.featurespec.groups import ITEM_CONTENT, ITEM_COUNTS, ITEM_CREATOR, ITEM_TREND, group
from loopwright.featurespec.rings import DAY_MS
from loopwright.featurespec.scales import decades_since, log_days, log_hours
from loopwright.featurespec.table import ItemTable

_E, _L, _V = Counter.ENGAGEMENTS, Counter.LIKES, Counter.VIEWS
WANTED = (
    (_E, 0.25), (_E, 1.0), (_E, 3.0), (_E, 7.0), (_E, 14.0), (_E, 30.0), (_E, 90.0),
    (_L, 7.0), (_L, 30.0), (_L, 90.0), (_V, 7.0),
)  # fmt: skip
_DAY, _WEEK, _MONTH = (WANTED.index((_E, half_life)) for half_life in (1.0, 7.0, 30.0))

LAYOUT = (ITEM_CONTENT, ITEM_COUNTS, ITEM_TREND, ITEM_CREATOR)
"""Order of the groups in the columns, ages and masks of `Settled`."""


def _places() -> dict[str, slice]:
    ends = np.cumsum([group(name).width for name in LAYOUT]).tolist()
    return {name: slice(end - group(name).width, end) for name, end in zip(LAYOUT, ends, strict=True)}


PLACES = _places()
"""Group -> its columns in `Settled.columns`."""
SETTLED_WIDTH = PLACES[LAYOUT[-1]].stop
LOG_ENGAGEMENTS, LOG_LIKES, LOG_WEEK, LOG_MONTH = range(COUNTERS, COUNTERS + 4)
BASIS_WIDTH = COUNTERS + 4


@dataclass(frozen=True, slots=True)
class Settled:
    """Columns of n rows at one hour, less what compares them with other items.

    Attributes:
        columns: float16 [n, 54], all ITEM groups by `PLACES`; 0 where a column compares.
        basis: float64 [n, 12], what those columns are computed from: totals by `Counter`, then log1p of engagements and
            of likes ever, and of engagements decayed with half-lives of 7 and 30 days.
        ages_s: uint32 [n, 4], by `LAYOUT`.
        mask: uint8 [n, 4].
    """

    columns: F16
    basis: F64
    ages_s: U32
    mask: U8


def settled_columns(table: ItemTable, rows: I64, hour_ms: int) -> Settled:
    """Return what rows int64 [n], all of the table, say of themselves at the beginning of an hour."""
    counts = table.decays.view(rows, hour_ms, WANTED)
    totals, logs = counts.totals, np.log1p(counts.decayed)
    by_total = [np.log1p(totals[:, counter]) for counter in (_E, _L, _V, Counter.NEGATIVES)]
    columns = np.zeros((len(rows), SETTLED_WIDTH), dtype=np.float16)
    content, published, stamp = table.content32[rows].astype(np.float64), table.published_ms[rows], table.stamp_ms[rows]
    dated = published != -1
    days = np.where(dated, np.log1p(np.maximum(0.0, (hour_ms - published) / DAY_MS)), 0.0)
    about = [content, table.tag_counts[rows].astype(np.float64), days, decades_since(hour_ms, published), dated]
    columns[:, PLACES[ITEM_CONTENT]] = finished(np.column_stack(about))
    columns[:, _first(ITEM_COUNTS, 4)] = finished(np.column_stack(by_total))
    day, week, month = logs[:, _DAY], logs[:, _WEEK], logs[:, _MONTH]
    trend = [logs, day - week, week - month, month - by_total[0]]
    columns[:, _first(ITEM_TREND, len(WANTED) + 3)] = finished(np.column_stack(trend))
    columns[:, _last(ITEM_TREND, 2)] = finished(
        np.column_stack([log_hours(hour_ms, counts.last_ms), log_days(hour_ms, counts.first_ms)])
    )
    # An item of the catalogue nobody touched has counts of zero: an observed fact, as old as the item.
    unknown, silent = (table.eligibility[rows] & Eligibility.UNKNOWN_ITEM) != 0, counts.fact_ms < 0
    counted = np.where(silent, table.first_upsert_ms[rows], counts.fact_ms)
    age, mask = _marks(
        hour_ms,
        [
            (stamp, ~(content.any(axis=1) | dated)),
            (counted, unknown & silent),
            (counts.last_ms, counts.last_ms < 0),
            (stamp, table.creator_index[rows] == 0),
        ],
    )
    return Settled(columns, np.column_stack([totals, by_total[0], by_total[1], week, month]), age, mask)


def _first(name: str, count: int) -> slice:
    return slice(PLACES[name].start, PLACES[name].start + count)


def _last(name: str, count: int) -> slice:
    return slice(PLACES[name].stop - count, PLACES[name].stop)


def _marks(hour_ms: int, groups: Sequence[tuple[I64, Bools]]) -> tuple[U32, U8]:
    age = [ages(hour_ms, times_ms, absent | (times_ms < 0)) for times_ms, absent in groups]
    mask = [np.where(absent, Mask.ABSENT, 0).astype(np.uint8) for _, absent in groups]
    return np.column_stack(age), np.column_stack(mask)
