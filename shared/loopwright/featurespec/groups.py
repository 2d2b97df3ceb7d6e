"""The declared feature groups: their columns, the states they are derived from, their cadence and greatest lag.

A spec is a tuple of group versions; columns stand in the order of the groups. A new column changes its group's version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from loopwright.faults import InvalidRequest
from loopwright.featurespec.content_vector import DIMENSION

USER_HISTORY, USER_ACTIVITY, USER_TASTE = "user_history.v1", "user_activity.v1", "user_taste.v1"
ITEM_CONTENT, ITEM_COUNTS = "item_content.v1", "item_counts.v1"
ITEM_TREND, ITEM_CREATOR, CROSS_AFFINITY = "item_trend.v1", "item_creator.v1", "cross_affinity.v1"

USER_STATE_GROUPS = (USER_HISTORY, USER_ACTIVITY)
ITEM_STATE_GROUPS = (ITEM_CONTENT, ITEM_COUNTS)
USER_GROUPS = (USER_ACTIVITY, USER_HISTORY, USER_TASTE)
ITEM_GROUPS = (ITEM_CONTENT, ITEM_COUNTS, ITEM_TREND, ITEM_CREATOR, CROSS_AFFINITY)

STAGE_USERS, STAGE_ITEMS = "users", "items"
"""Names of the projector's stages, as in the keys of their progress."""

_USER_MAX_LAG_S = 15.0
_ITEM_MAX_LAG_S = 60.0


class Entity(StrEnum):
    """What a group's row belongs to."""

    USER = "user"
    ITEM = "item"
    CROSS = "cross"


@dataclass(frozen=True, slots=True)
class Column:
    """One float16 column: its name within the group and what it means."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Group:
    """One group version.

    Attributes:
        name: Group and version, such as `item_trend.v1`.
        entity: What its rows belong to.
        columns: The columns, in order.
        states: State groups it is derived from.
        stages: Stages of the projector it waits for; the lag is that of the slowest.
        max_lag_s: Projection lag above which values count as stale.
        cadence: `real-time` (with each event) or `near-real-time` (with each batch of facts).
    """

    name: str
    entity: Entity
    columns: tuple[Column, ...]
    states: tuple[str, ...]
    stages: tuple[str, ...]
    max_lag_s: float
    cadence: str

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.columns)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names as `group:column`."""
        return tuple(f"{self.name}:{column.name}" for column in self.columns)


def _columns(text: str) -> tuple[Column, ...]:
    lines = (line.strip().partition(": ") for line in text.strip().splitlines())
    return tuple(Column(name, meaning) for name, _, meaning in lines)


def _vector(name: str, meaning: str) -> tuple[Column, ...]:
    return tuple(Column(f"{name}_{place}", f"{meaning}, dimension {place}") for place in range(DIMENSION))


_ACTIVITY = _columns("""
    log_engagements: log1p of engagements ever
    log_likes: log1p of likes ever
    like_rate: share of engagements liked, shrunk to one half by 5
    rating_mean_z: mean rating less the catalogue's, in its standard deviations, shrunk by 5
    rating_std_ratio: standard deviation of ratings over the catalogue's, shrunk to 1 by 5
    log_views: log1p of confirmed views ever
    log_negatives: log1p of hides, blocks and reports ever
    log_engagements_6h: log1p of engagements decayed with half-life 6 hours
    log_engagements_1d: log1p of engagements decayed with half-life 1 day
    log_engagements_7d: log1p of engagements decayed with half-life 7 days
    log_engagements_30d: log1p of engagements decayed with half-life 30 days
    log_likes_30d: log1p of likes decayed with half-life 30 days
    log_hours_since_last: log1p of hours since the last action; 12 without one
    log_days_since_first: log1p of days since the first action
    log_active_days: log1p of days with an action among the last 90
""")
_HISTORY = _columns("""
    log_length: log1p of distinct engaged items in the kept history
    log_acted: log1p of items ever acted on
    like_rate_10: share liked among the newest 10 items, shrunk to the history's by 2
    like_rate_50: share liked among the newest 50 items, shrunk to the history's by 5
    log_span_days: log1p of days between oldest and newest kept action
    tag_entropy: entropy of the tag weights in nats
    log_distinct_tags: log1p of tags in the history
    log_distinct_creators: log1p of creators in the history
    popularity_mean: mean popularity of the history, as log share of the catalogue's mean
    popularity_std: standard deviation of it, shrunk to 1 by 2
    published_years_mean: mean age of the history's items in years / 10
    published_years_std: standard deviation of it in years / 10, shrunk to 1 by 2
    log_followed: log1p of followed creators
""")
_TASTE = _vector("taste", "decayed mean content of engaged items") + _columns("""
    taste_norm: length of the taste vector, 0 to 1
    recent_taste_cosine: cosine of the newest items' taste with the taste
    dislike_taste_cosine: cosine of the disliked items' content with the taste
""")
_CONTENT = _vector("content", "content vector") + _columns("""
    tag_count: number of tags, at most 16
    log_days_published: log1p of days since publication; 0 when unknown
    published_years: years since publication / 10, cut to -1..20; 0 when unknown
    has_published: 1 when the publication time is known
""")
_COUNTS = _columns("""
    log_engagements: log1p of engagements ever
    log_likes: log1p of likes ever
    log_views: log1p of confirmed views ever
    log_negatives: log1p of hides, blocks and reports ever
    like_rate: share of engagements liked, shrunk to the catalogue's by 10
    like_lift: the same less the catalogue's
    rating_mean_z: mean rating less the catalogue's, in its standard deviations, shrunk by 10
    rating_std_ratio: standard deviation of ratings over the catalogue's, shrunk to 1 by 10
    log_share: log of (engagements + 1) / (the catalogue's mean + 1)
    log_like_share: log of (likes + 1) / (the catalogue's mean + 1)
    slate_rate: engagements from slates per confirmed view, shrunk to the catalogue's by 10
""")
_TREND = _columns("""
    log_engagements_6h: log1p of engagements decayed with half-life 6 hours
    log_engagements_1d: log1p of engagements decayed with half-life 1 day
    log_engagements_3d: log1p of engagements decayed with half-life 3 days
    log_engagements_7d: log1p of engagements decayed with half-life 7 days
    log_engagements_14d: log1p of engagements decayed with half-life 14 days
    log_engagements_30d: log1p of engagements decayed with half-life 30 days
    log_engagements_90d: log1p of engagements decayed with half-life 90 days
    log_likes_7d: log1p of likes decayed with half-life 7 days
    log_likes_30d: log1p of likes decayed with half-life 30 days
    log_likes_90d: log1p of likes decayed with half-life 90 days
    log_views_7d: log1p of confirmed views decayed with half-life 7 days
    trend_1_7: log of (engagements 1d + 1) / (engagements 7d + 1)
    trend_7_30: log of (engagements 7d + 1) / (engagements 30d + 1)
    trend_30_all: log of (engagements 30d + 1) / (engagements ever + 1)
    log_share_7d: log of (engagements 7d + 1) / (the catalogue's mean + 1)
    log_share_30d: log of (engagements 30d + 1) / (the catalogue's mean + 1)
    log_hours_since_last: log1p of hours since the last engagement; 12 without one
    log_days_since_first: log1p of days since the first engagement
""")
_CREATOR = _columns("""
    log_engagements: log1p of engagements with all items of the creator
    log_likes: log1p of likes of all items of the creator
    like_lift: share liked, shrunk to the catalogue's by 10, less the catalogue's
    log_items: log1p of the creator's items
    log_share_per_item: log of (engagements an item of the creator + 1) / (the catalogue's mean + 1)
""")
_CROSS = _columns("""
    taste_dot: taste vector times content vector
    taste_cosine: cosine of the two, with .1 added to the taste's length
    recent_cosine: the same for the newest items' taste
    dislike_cosine: the same for the disliked items' content
    tag_mean: mean weight of the item's tags in the user's history
    tag_max: greatest weight of the item's tags in the user's history
    tag_sum: summed weight of the item's tags in the user's history
    tag_like_lift: mean over the item's tags of the user's like rate with the tag less the user's own
    creator_affinity: weight of the item's creator in the user's history
    creator_followed: 1 when the user follows the creator
    popularity_gap: popularity less that of the user's history, in its standard deviations
    popularity_gap_abs: absolute value of it
    published_gap: years published less those of the user's history, in its standard deviations
    published_gap_abs: absolute gap in years / 10
    locale_match: 1 for the same locale, .5 for the same language, else 0
""")

_ALL = (
    (USER_ACTIVITY, Entity.USER, _ACTIVITY, (USER_ACTIVITY,)),
    (USER_HISTORY, Entity.USER, _HISTORY, (USER_HISTORY, *ITEM_STATE_GROUPS)),
    (USER_TASTE, Entity.USER, _TASTE, (USER_HISTORY, ITEM_CONTENT)),
    (ITEM_CONTENT, Entity.ITEM, _CONTENT, (ITEM_CONTENT,)),
    (ITEM_COUNTS, Entity.ITEM, _COUNTS, (ITEM_COUNTS,)),
    (ITEM_TREND, Entity.ITEM, _TREND, (ITEM_COUNTS,)),
    (ITEM_CREATOR, Entity.ITEM, _CREATOR, ITEM_STATE_GROUPS),
    (CROSS_AFFINITY, Entity.CROSS, _CROSS, (USER_HISTORY, *ITEM_STATE_GROUPS)),
)


def _declared(name: str, entity: Entity, columns: tuple[Column, ...], states: tuple[str, ...]) -> Group:
    if entity is Entity.USER:
        return Group(name, entity, columns, states, (STAGE_USERS,), _USER_MAX_LAG_S, "real-time")
    stages = (STAGE_USERS, STAGE_ITEMS)
    return Group(name, entity, columns, states, stages, _ITEM_MAX_LAG_S, "near-real-time")


GROUPS: Mapping[str, Group] = {row[0]: _declared(*row) for row in _ALL}
"""Every group version this build can compute."""


def group(name: str) -> Group:
    """Return a group version.

    Raises:
        InvalidRequest: This build has no such group.
    """
    try:
        return GROUPS[name]
    except KeyError:
        raise InvalidRequest(f"unknown feature group {name!r}") from None


def width(names: Iterable[str]) -> int:
    """Return how many columns these groups have together."""
    return sum(group(name).width for name in names)


def column_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the column names of these groups, in order, as `group:column`."""
    return tuple(column for name in names for column in group(name).column_names)
