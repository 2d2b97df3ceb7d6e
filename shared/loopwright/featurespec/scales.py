"""Scales that several column groups share: logs of counts and of times, relative to the catalogue's mean or to now."""

from __future__ import annotations

import numpy as np

from loopwright.domain.vectors import F64, I64
from loopwright.featurespec.finish import NEVER_LOG_HOURS
from loopwright.featurespec.rings import DAY_MS, HOUR_MS

YEAR_MS = 365.25 * DAY_MS
_OLDEST, _NEWEST = 20.0, -1.0  # decades: beyond them a publication time is an error or a book


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
