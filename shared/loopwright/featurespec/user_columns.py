"""User columns at any time: functions of the user's states, the item table and mesh time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from loopwright.domain.enums import Mask
from loopwright.domain.vectors import F64, I64
from loopwright.featurespec.facts import RING_COUNTERS, Counter
from loopwright.featurespec.finish import NEVER_LOG_HOURS, NO_AGE, ColumnBlock, finished, side_by_side
from loopwright.featurespec.groups import USER_ACTIVITY, USER_HISTORY, USER_TASTE
from loopwright.featurespec.profile import Profile, profile_of
from loopwright.featurespec.rings import DAY_MS, DAYS, HOUR_MS, HOURS
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.user_activity import UserActivity
from loopwright.featurespec.users import UserState

STRENGTH = 5.0
"""Pseudo-actions of the prior in every smoothed rate of a user."""

COSINE_FLOOR = 0.1
"""Added to a taste's length: a taste of little evidence points nowhere in particular."""

_E, _L = Counter.ENGAGEMENTS, Counter.LIKES


@dataclass(frozen=True, slots=True)
class _Asked:
    state: UserState
    table: ItemTable
    now_ms: int
    profile: Profile


def user_columns(
    state: UserState, table: ItemTable, now_ms: int, groups: Sequence[str], profile: Profile | None = None
) -> ColumnBlock:
    """Return the columns float16 [C] of USER groups, ages uint32 [G], mask uint8 [G].

    Args:
        state: The user.
        table: The items the history is about.
        now_ms: Mesh time; later actions are left out, and later buckets of counts.
        groups: USER group versions, in column order.
        profile: `profile_of` the same arguments, when the caller has it already.
    """
    asked = _Asked(state, table, now_ms, profile or profile_of(state, table, now_ms))
    blocks = [_BUILDERS[name](asked) for name in groups]
    if not blocks:
        return ColumnBlock(np.zeros(0, np.float16), np.zeros(0, np.uint32), np.zeros(0, np.uint8))
    return side_by_side(blocks)


def _block(now_ms: int, values: Sequence[float] | F64, newest_ms: int, absent: bool) -> ColumnBlock:
    unknown = absent or newest_ms < 0
    age = NO_AGE if unknown else min(NO_AGE - 1, max(0, (now_ms - newest_ms) // 1000))
    mask = Mask.ABSENT if absent else Mask.PRESENT
    columns = finished(np.asarray(values, dtype=np.float64))
    return ColumnBlock(columns, np.array([age], dtype=np.uint32), np.array([mask], dtype=np.uint8))


def _decayed(buckets: I64, counts: I64, now: float, half_life: float) -> F64:
    """Return float64 [3]: counts decayed by the age of the middle of their buckets."""
    age = np.maximum(0.0, now - buckets - 0.5)
    return np.asarray((counts * np.exp2(-age / half_life)[:, None]).sum(axis=0), dtype=np.float64)


def _as_of(activity: UserActivity, now_ms: int) -> tuple[F64, tuple[I64, I64], tuple[I64, I64]]:
    """Return totals less what happened after now, and the hours and days up to now, each with its counts."""
    totals = activity.totals.astype(np.float64)
    hour, day = now_ms // HOUR_MS, now_ms // DAY_MS
    hours, days = activity.hours <= hour, activity.days <= day
    if not (hours.all() and days.all()):
        later = np.maximum(activity.hourly[~hours].sum(axis=0), activity.daily[~days].sum(axis=0))
        totals[:RING_COUNTERS] -= later
    recent_hours, recent_days = hours & (activity.hours > hour - HOURS), days & (activity.days > day - DAYS)
    return (
        totals,
        (activity.hours[recent_hours], activity.hourly[recent_hours]),
        (activity.days[recent_days], activity.daily[recent_days]),
    )


def _activity(asked: _Asked) -> ColumnBlock:
    now_ms, activity = asked.now_ms, asked.state.activity
    totals, hours, days = _as_of(activity, now_ms)
    catalogue = asked.table.catalogue.view(now_ms)
    engaged, likes, ratings = totals[_E], totals[_L], totals[Counter.RATINGS]
    mean = (totals[Counter.RATING_SUM] / 1000.0 - ratings * catalogue.rating_mean) / (ratings + STRENGTH)
    squares = totals[Counter.RATING_SQUARES] / 1e6 - 2.0 * catalogue.rating_mean * totals[Counter.RATING_SUM] / 1000.0
    squares = max(0.0, squares + ratings * catalogue.rating_mean**2)
    variance = (squares + STRENGTH * catalogue.rating_std**2) / (ratings + STRENGTH) - mean**2
    now_days = now_ms / DAY_MS
    by_day = {half_life: _decayed(*days, now_days, half_life) for half_life in (1.0, 7.0, 30.0)}
    first_ms = activity.first_ms if activity.first_ms <= now_ms else -1
    last_ms = activity.last_ms
    if last_ms > now_ms:
        last_ms = asked.profile.newest_ms
    values = [
        np.log1p(engaged),
        np.log1p(likes),
        (likes + STRENGTH * 0.5) / (engaged + STRENGTH),
        mean / catalogue.rating_std,
        np.sqrt(max(0.0, variance)) / catalogue.rating_std,
        np.log1p(totals[Counter.VIEWS]),
        np.log1p(totals[Counter.NEGATIVES]),
        np.log1p(_decayed(*hours, now_ms / HOUR_MS, 6.0)[_E]),
        np.log1p(by_day[1.0][_E]),
        np.log1p(by_day[7.0][_E]),
        np.log1p(by_day[30.0][_E]),
        np.log1p(by_day[30.0][_L]),
        np.log1p(max(0.0, (now_ms - last_ms) / HOUR_MS)) if last_ms >= 0 else NEVER_LOG_HOURS,
        np.log1p(max(0.0, (now_ms - first_ms) / DAY_MS)) if first_ms >= 0 else 0.0,
        np.log1p(float((days[1][:, :2] > 0).any(axis=1).sum())),
    ]
    return _block(now_ms, values, last_ms, first_ms < 0)


def _history(asked: _Asked) -> ColumnBlock:
    profile, history, now_ms = asked.profile, asked.state.history, asked.now_ms
    liked = profile.liked.astype(np.float64)
    rate = (liked.sum() + 1.0) / (len(liked) + 2.0)
    weights = profile.tag_weights[profile.tag_weights > 0]
    (popularity, popularity_std), (decades, decades_std) = profile.moments
    span = max(0, profile.newest_ms - profile.oldest_ms)
    values = [
        np.log1p(len(liked)),
        np.log1p(float((history.acted_ms <= now_ms).sum())),
        (liked[:10].sum() + 2.0 * rate) / (len(liked[:10]) + 2.0),
        (liked[:50].sum() + STRENGTH * rate) / (len(liked[:50]) + STRENGTH),
        np.log1p(span / DAY_MS),
        -float((weights * np.log(weights)).sum()),
        np.log1p(profile.distinct_tags),
        np.log1p(profile.distinct_creators),
        popularity,
        popularity_std,
        decades,
        decades_std,
        np.log1p(float((history.followed_creators_ms <= now_ms).sum())),
    ]
    return _block(now_ms, values, profile.newest_ms, not len(liked))


def cosine(left: F64, right: F64) -> float:
    """Return the cosine of two tastes, COSINE_FLOOR added to each length."""
    lengths = (np.sqrt((left * left).sum()) + COSINE_FLOOR) * (np.sqrt((right * right).sum()) + COSINE_FLOOR)
    return float((left * right).sum() / lengths)


def _taste(asked: _Asked) -> ColumnBlock:
    profile = asked.profile
    taste = profile.taste
    tail = [np.sqrt((taste * taste).sum()), cosine(profile.recent, taste), cosine(profile.dislike, taste)]
    absent = not (taste.any() or profile.dislike.any())
    return _block(asked.now_ms, np.concatenate([taste, tail]), profile.newest_ms, absent)


_BUILDERS: dict[str, Callable[[_Asked], ColumnBlock]] = {
    USER_ACTIVITY: _activity,
    USER_HISTORY: _history,
    USER_TASTE: _taste,
}
