"""What a user's history says about taste, tags, creators, popularity and age of items, for user and cross columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.domain.enums import ENGAGEMENTS, NEGATIVE_ACTIONS, ActionKind
from loopwright.domain.vectors import F64, I64, U64, Bools
from loopwright.featurespec.content_vector import DIMENSION
from loopwright.featurespec.facts import Counter
from loopwright.featurespec.rings import HOUR_MS
from loopwright.featurespec.scales import decades_since, log_share
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import UserState

MOST_TAGS = 64
MOST_CREATORS = 64
TASTE_HALF_LIFE = 100.0  # in distinct items back, not in time: users act in sittings
RECENT_HALF_LIFE = 10.0
UNLIKED_STRENGTH = 0.3  # an engagement that was not liked says little, and still more than nothing
TASTE_SHRINK = 1.0  # pseudo-items of no taste, so that the vector's length grows with the evidence
RATE_SHRINK = 5.0
MOMENT_SHRINK = 2.0

_ENGAGED = np.array([kind in ENGAGEMENTS for kind in range(64)])
_DISLIKED = np.array([kind in NEGATIVE_ACTIONS or kind in (ActionKind.SKIP, ActionKind.ABANDON) for kind in range(64)])


@dataclass(frozen=True, slots=True)
class Profile:
    """A user against a catalogue at one time; vectors float64 [16], tags and creators heaviest first.

    Attributes:
        liked: Whether each distinct engaged item was liked, newest first.
        tag_lifts: Like rate with each tag less the user's own, shrunk by 5.
        moments: Means and standard deviations: popularity, then decades since publication.
        dated: Whether any item of the history has a publication time.
        newest_ms: Time of the newest kept action, -1 without one; `oldest_ms` likewise.
    """

    liked: Bools
    taste: F64
    recent: F64
    dislike: F64
    tag_ids: U64
    tag_weights: F64
    tag_lifts: F64
    distinct_tags: int
    creator_ids: U64
    creator_weights: F64
    distinct_creators: int
    moments: tuple[tuple[float, float], tuple[float, float]]
    dated: bool
    newest_ms: int
    oldest_ms: int


def profile_of(state: UserState, table: ItemTable, now_ms: int) -> Profile:
    """Return the profile from the actions up to `now_ms`."""
    history = state.history
    start = len(history.times_ms) - int(np.searchsorted(history.times_ms[::-1], now_ms, side="right"))
    ids, kinds, times = history.item_ids[start:], history.kinds[start:], history.times_ms[start:]
    likes = history.liked[start:]
    items, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    order = np.argsort(first)
    any_liked, any_engaged, any_disliked = (np.zeros(len(items), dtype=np.bool_) for _ in range(3))
    any_liked[inverse[likes]] = True
    any_engaged[inverse[_ENGAGED[kinds & 63]]] = True
    any_disliked[inverse[_DISLIKED[kinds & 63]]] = True
    any_disliked[inverse[(kinds == ActionKind.RATE) & ~likes]] = True
    any_disliked &= ~any_liked
    items, liked = items[order], any_liked[order]
    engaged, disliked = any_engaged[order] | liked, any_disliked[order]
    rows = table.rows_of(items)
    back: I64 = np.cumsum(engaged) - engaged  # 0 for the newest engaged item
    there, decay = rows >= 0, np.exp2(-back / TASTE_HALF_LIFE)
    strength = np.where(liked, 1.0, UNLIKED_STRENGTH) * engaged * there
    weight = taste_weight = strength * decay
    content = table.content32[rows].astype(np.float64) if len(table) else np.zeros((len(rows), DIMENSION))
    recent_weight = strength * np.exp2(-back / RECENT_HALF_LIFE)
    dislike_weight: F64 = decay * (disliked & there)
    known = np.asarray(weight > 0, dtype=np.bool_)
    rows, weight, known_liked = rows[known], weight[known], liked[known]
    tags = _tags(table, rows, weight, known_liked)
    creators = _creators(table, rows, weight)
    moments, dated = _moments(table, rows, weight, now_ms)
    return Profile(
        liked[engaged],
        _mean(content, taste_weight),
        _mean(content, recent_weight),
        _mean(content, dislike_weight),
        *tags,
        *creators,
        moments,
        dated,
        int(times[0]) if len(times) else -1,
        int(times[-1]) if len(times) else -1,
    )


def _mean(content: F64, weight: F64) -> F64:
    total: F64 = (content * weight[:, None]).sum(axis=0)
    return np.asarray(total / (weight.sum() + TASTE_SHRINK), dtype=np.float64)


def _heaviest(ids: U64, weights: F64, most: int) -> I64:
    """Return the places of the heaviest ids, ties by id."""
    return np.lexsort((ids, -weights))[:most]


def _tags(table: ItemTable, rows: I64, weight: F64, liked: Bools) -> tuple[U64, F64, F64, int]:
    tags = table.tag_ids[rows] if len(rows) else np.zeros((0, 1), dtype=np.uint64)
    item, place = np.nonzero(tags)
    ids, inverse = np.unique(tags[item, place], return_inverse=True)
    mass: F64 = np.bincount(inverse, weight[item], len(ids)).astype(np.float64)
    seen = np.bincount(inverse, minlength=len(ids))
    good = np.bincount(inverse, liked[item].astype(np.float64), len(ids))
    rate = (float(liked.sum()) + 1.0) / (len(liked) + 2.0)
    lift = (good + RATE_SHRINK * rate) / (seen + RATE_SHRINK) - rate
    chosen = _heaviest(ids, mass, MOST_TAGS)
    kept = mass[chosen]
    return ids[chosen], kept / kept.sum() if len(kept) else kept, lift[chosen], len(ids)


def _creators(table: ItemTable, rows: I64, weight: F64) -> tuple[U64, F64, int]:
    creators = table.creator_ids[rows] if len(rows) else np.zeros(0, dtype=np.uint64)
    named = creators != 0
    ids, inverse = np.unique(creators[named], return_inverse=True)
    mass: F64 = np.bincount(inverse, weight[named], len(ids)).astype(np.float64)
    chosen = _heaviest(ids, mass, MOST_CREATORS)
    kept = mass[chosen]
    return ids[chosen], kept / kept.sum() if len(kept) else kept, len(ids)


def popularity(table: ItemTable, rows: I64, now_ms: int) -> F64:
    """Return log share of engagements against the catalogue's mean, at the hour of `now_ms`."""
    hour_ms = now_ms - now_ms % HOUR_MS
    engaged = table.decays.total(rows, Counter.ENGAGEMENTS, hour_ms)
    return log_share(engaged, table.catalogue.view(hour_ms).mean(Counter.ENGAGEMENTS))


def _moments(
    table: ItemTable, rows: I64, weight: F64, now_ms: int
) -> tuple[tuple[tuple[float, float], tuple[float, float]], bool]:
    if not len(rows):
        return ((0.0, 1.0), (0.0, 1.0)), False
    published = table.published_ms[rows]
    dated = published != -1
    decades = decades_since(now_ms - now_ms % HOUR_MS, published)
    spread = (_moment(popularity(table, rows, now_ms), weight), _moment(decades[dated], weight[dated]))
    return spread, bool(dated.any())


def _moment(values: F64, weight: F64) -> tuple[float, float]:
    total = float(weight.sum())
    if total <= 0:
        return 0.0, 1.0
    mean = float((values * weight).sum()) / total
    variance = float((weight * (values - mean) ** 2).sum())
    return mean, float(np.sqrt((variance + MOMENT_SHRINK) / (total + MOMENT_SHRINK)))
