"""User-item columns: what an item is to a user, whose side travels as `CrossContext`; the item's is the table's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from loopwright.domain.enums import Mask
from loopwright.domain.vectors import F64, I64, U64, CrossContext
from loopwright.faults import InvalidRequest
from loopwright.featurespec.content_vector import DIMENSION
from loopwright.featurespec.finish import NO_AGE, ColumnBlock, finished, side_by_side
from loopwright.featurespec.groups import CROSS_AFFINITY, Entity, group
from loopwright.featurespec.item_columns import item_columns
from loopwright.featurespec.profile import MOST_CREATORS, MOST_TAGS, Profile, popularity, profile_of
from loopwright.featurespec.rings import HOUR_MS
from loopwright.featurespec.scales import decades_since
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.user_columns import COSINE_FLOOR
from loopwright.featurespec.users import UserState

# Layout of `CrossContext.statistics`, of one length for all users: recent taste, disliked content, the scalars, a like
# lift for each tag of `tag_ids`, 1 for each creator of `creator_ids` whom the user follows; the last two padded with 0.
_SCALARS = ("popularity_mean", "popularity_std", "decades_mean", "decades_std", "dated", "items", "age_s")
_HEAD = 2 * DIMENSION + len(_SCALARS)
_LIFTS = _HEAD + MOST_TAGS
MOST_FOLLOWED = 64
_STATISTICS = _LIFTS + MOST_CREATORS + MOST_FOLLOWED

ItemBlocks = Callable[[I64, int, Sequence[str]], ColumnBlock]


def cross_context(state: UserState, table: ItemTable, now_ms: int, profile: Profile | None = None) -> CrossContext:
    """Return what item crosses need of the user at `now_ms`.

    Args:
        state: The user.
        table: The items the history is about.
        now_ms: Mesh time; later actions are left out.
        profile: `profile_of` the same arguments, when the caller has it already.
    """
    profile = profile or profile_of(state, table, now_ms)
    history = state.history
    followed = history.followed_creators[history.followed_creators_ms <= now_ms][:MOST_FOLLOWED]
    creators, weights = profile.creator_ids, profile.creator_weights
    if len(followed):
        creators = np.concatenate([creators, followed[~np.isin(followed, creators)]])
        weights = np.concatenate([weights, np.zeros(len(creators) - len(weights))])
    (popularity_mean, popularity_std), (decades_mean, decades_std) = profile.moments
    age = (now_ms - profile.newest_ms) // 1000 if profile.newest_ms >= 0 else 0
    scalars = [popularity_mean, popularity_std, decades_mean, decades_std, profile.dated, len(profile.liked), age]
    statistics = np.zeros(_STATISTICS, dtype=np.float32)
    statistics[:_HEAD] = np.concatenate([profile.recent, profile.dislike, np.array(scalars)])
    statistics[_HEAD : _HEAD + len(profile.tag_lifts)] = profile.tag_lifts
    if len(followed):
        statistics[_LIFTS : _LIFTS + len(creators)] = np.isin(creators, followed)
    return CrossContext(
        taste=profile.taste.astype(np.float32),
        tag_ids=profile.tag_ids,
        tag_weights=profile.tag_weights.astype(np.float32),
        creator_ids=creators,
        creator_weights=weights.astype(np.float32),
        statistics=statistics,
        locale=history.locale,
    )


def empty_context() -> CrossContext:
    """Return the context of a user of whom nothing is known."""
    none = np.zeros(0, dtype=np.uint64)
    nothing = np.zeros(0, dtype=np.float32)
    statistics = np.zeros(_STATISTICS, dtype=np.float32)
    statistics[[2 * DIMENSION + 1, 2 * DIMENSION + 3]] = 1.0
    return CrossContext(np.zeros(DIMENSION, dtype=np.float32), none, nothing, none, nothing, statistics, "")


def candidate_columns(
    context: CrossContext,
    table: ItemTable,
    rows: I64,
    now_ms: int,
    groups: Sequence[str],
    item_block: ItemBlocks | None = None,
) -> ColumnBlock:
    """Return ITEM and CROSS groups side by side, in the given order.

    Args:
        context: The user.
        table: The items.
        rows: int64 [n]; -1 for items the table does not know.
        now_ms: Mesh time.
        groups: ITEM and CROSS group versions, in column order.
        item_block: What computes the ITEM groups, `item_columns` of the table by default.
    """
    blocks: list[ColumnBlock] = []
    place = 0
    while place < len(groups):
        entity = group(groups[place]).entity
        end = place
        while end < len(groups) and group(groups[end]).entity is entity:
            end += 1
        part = groups[place:end]
        if entity is Entity.CROSS:
            blocks.append(cross_columns(context, table, rows, now_ms, part))
        elif item_block is not None:
            blocks.append(item_block(rows, now_ms, part))
        else:
            blocks.append(item_columns(table, rows, now_ms, part))
        place = end
    return side_by_side(blocks) if blocks else item_columns(table, rows, now_ms, ())


def cross_columns(
    context: CrossContext, table: ItemTable, rows: I64, now_ms: int, groups: Sequence[str]
) -> ColumnBlock:
    """Return the columns of CROSS groups; rows int64 [n], -1 gives zeros marked ABSENT.

    Raises:
        InvalidRequest: The context's statistics do not have this build's layout, or a group is not a cross.
    """
    if len(context.statistics) != _STATISTICS or len(context.taste) != DIMENSION:
        raise InvalidRequest(f"cross context: {len(context.statistics)} statistics, expected {_STATISTICS}")
    if len(context.tag_ids) > MOST_TAGS or len(context.creator_ids) > MOST_CREATORS + MOST_FOLLOWED:
        raise InvalidRequest("cross context: more tags or creators than this build keeps")
    if any(name != CROSS_AFFINITY for name in groups):
        raise InvalidRequest(f"not a cross group among {', '.join(groups)}")
    block = _affinity(context, table, rows, now_ms)
    return side_by_side([block] * len(groups)) if groups else item_columns(table, rows, now_ms, ())


def _affinity(context: CrossContext, table: ItemTable, rows: I64, now_ms: int) -> ColumnBlock:
    unknown = rows < 0
    some_unknown = bool(unknown.any())
    safe = np.where(unknown, 0, rows) if some_unknown else rows
    count, wide = len(rows), group(CROSS_AFFINITY).width
    values = np.zeros((wide, count), dtype=np.float64)  # column after column: each is written, and read, in one run
    statistics = context.statistics.astype(np.float64)
    scalars = dict(zip(_SCALARS, statistics[2 * DIMENSION : _HEAD].tolist(), strict=True))
    absent = unknown
    if len(table) and scalars["items"] > 0:
        content = table.content32.take(safe, axis=0).astype(np.float64)
        tastes = (context.taste.astype(np.float64), statistics[:DIMENSION], statistics[DIMENSION : 2 * DIMENSION])
        for place, vector in enumerate(tastes, start=1):
            likeness = (content * vector).sum(axis=1)
            values[place] = likeness / (np.sqrt((vector * vector).sum()) + COSINE_FLOOR)
            if place == 1:
                values[0] = likeness
        lifts = statistics[_HEAD : _HEAD + len(context.tag_ids)]
        values[4:8] = _tags(context, lifts, table, safe)
        gap = popularity(table, safe, now_ms) - scalars["popularity_mean"]
        values[10] = gap / scalars["popularity_std"]
        values[11] = np.abs(values[10])
        published = table.published_ms.take(safe)
        dated = (published != -1) & bool(scalars["dated"])
        decades = decades_since(now_ms - now_ms % HOUR_MS, published) - scalars["decades_mean"]
        values[12] = np.where(dated, decades / scalars["decades_std"], 0.0)
        values[13] = np.where(dated, np.abs(decades), 0.0)
        facts = (table.creator_ids.take(safe) != 0) | (table.engagements.take(safe) > 0)
        if not facts.all():
            facts |= content.any(axis=1)
        absent = unknown | ~facts
    else:
        absent = np.ones(count, dtype=np.bool_)
    if len(table):
        values[8:10] = _creators(context, statistics[_LIFTS:], table.creator_ids.take(safe))
        if context.locale:
            values[14] = _locales(context.locale, table.locales).take(table.locale_index.take(safe))
    if some_unknown:
        values[:, unknown] = 0.0
    age = np.full(count, min(scalars["age_s"], NO_AGE - 1), dtype=np.uint32)
    age[absent] = NO_AGE
    mask = np.where(absent, np.uint8(Mask.ABSENT), np.uint8(0))
    return ColumnBlock(finished(values).T, age[:, None], mask[:, None])


def _tags(context: CrossContext, lifts: F64, table: ItemTable, rows: I64) -> F64:
    """Return float64 [4, n]: mean, greatest and summed tag weight, and mean like lift."""
    numbers = table.tag_numbers(context.tag_ids)
    weights, raises = np.zeros(table.tag_count), np.zeros(table.tag_count)
    weights[numbers], raises[numbers] = context.tag_weights, lifts
    weights[0] = raises[0] = 0.0  # number 0 is the padding
    counts = table.tag_counts.take(rows)
    index = table.tag_index.take(rows, axis=0)[:, : int(counts.max(initial=1))].astype(np.intp)
    found = weights.take(index)
    divisor = np.maximum(counts, 1)
    total = found.sum(axis=1)
    return np.stack([total / divisor, found.max(axis=1), total, raises.take(index).sum(axis=1) / divisor])


def _creators(context: CrossContext, followed: F64, creator_ids: U64) -> F64:
    """Return float64 [2, n]: the weight of each item's creator, and 1 where the user follows it."""
    out = np.zeros((2, len(creator_ids)))
    if len(context.creator_ids):
        order = np.argsort(context.creator_ids)
        ordered = context.creator_ids[order]
        place = np.minimum(np.searchsorted(ordered, creator_ids), len(ordered) - 1)
        hit = np.flatnonzero((ordered.take(place) == creator_ids) & (creator_ids != 0))
        chosen = order.take(place.take(hit))
        out[0, hit], out[1, hit] = context.creator_weights.take(chosen), followed.take(chosen)
    return out


def _locales(locale: str, locales: Sequence[str]) -> F64:
    """Return float64 [l]: how well each locale of the catalogue matches the user's."""
    wanted, language = locale.lower(), locale.lower().partition("-")[0]
    out = np.zeros(len(locales))
    for place, offered in enumerate(locales):
        if wanted and offered:
            if offered.lower() == wanted:
                out[place] = 1.0
            elif offered.lower().partition("-")[0] == language:
                out[place] = 0.5
    return out
