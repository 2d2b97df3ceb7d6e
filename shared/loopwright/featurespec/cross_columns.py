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
    creators = np.concatenate([profile.creator_ids, followed[~np.isin(followed, profile.creator_ids)]])
    weights = np.concatenate([profile.creator_weights, np.zeros(len(creators) - len(profile.creator_ids))])
    (popularity_mean, popularity_std), (decades_mean, decades_std) = profile.moments
    age = (now_ms - profile.newest_ms) // 1000 if profile.newest_ms >= 0 else 0
    scalars = [popularity_mean, popularity_std, decades_mean, decades_std, profile.dated, len(profile.liked), age]
    statistics = np.zeros(_STATISTICS, dtype=np.float32)
    statistics[:_HEAD] = np.concatenate([profile.recent, profile.dislike, np.array(scalars)])
    statistics[_HEAD : _HEAD + len(profile.tag_lifts)] = profile.tag_lifts
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
    known = rows >= 0
    safe = np.where(known, rows, 0)
    count, wide = len(rows), group(CROSS_AFFINITY).width
    values = np.zeros((count, wide), dtype=np.float64)
    statistics = context.statistics.astype(np.float64)
    scalars = dict(zip(_SCALARS, statistics[2 * DIMENSION : _HEAD].tolist(), strict=True))
    absent = ~known
    if len(table) and scalars["items"] > 0:
        content = table.content32[safe].astype(np.float64)
        taste = context.taste.astype(np.float64)
        tastes = (taste, statistics[:DIMENSION], statistics[DIMENSION : 2 * DIMENSION])
        values[:, 0] = (content * taste).sum(axis=1)
        for place, vector in enumerate(tastes, start=1):
            values[:, place] = (content * vector).sum(axis=1) / (np.sqrt((vector * vector).sum()) + COSINE_FLOOR)
        lifts = statistics[_HEAD : _HEAD + len(context.tag_ids)]
        values[:, 4:8] = _tags(context, lifts, table, safe)
        gap = popularity(table, safe, now_ms) - scalars["popularity_mean"]
        values[:, 10] = gap / scalars["popularity_std"]
        values[:, 11] = np.abs(values[:, 10])
        published = table.published_ms[safe]
        dated = (published != -1) & bool(scalars["dated"])
        decades = decades_since(now_ms - now_ms % HOUR_MS, published) - scalars["decades_mean"]
        values[:, 12] = np.where(dated, decades / scalars["decades_std"], 0.0)
        values[:, 13] = np.where(dated, np.abs(decades), 0.0)
        facts = content.any(axis=1) | (table.creator_ids[safe] != 0) | (table.engagements[safe] > 0)
        absent |= ~facts
    else:
        absent |= True
    if len(table):
        values[:, 8:10] = _creators(context, statistics[_LIFTS:], table.creator_ids[safe])
        values[:, 14] = _locales(context.locale, table.locales)[table.locale_index[safe]]
    values[~known] = 0.0
    age = np.where(absent, NO_AGE, np.uint32(min(scalars["age_s"], NO_AGE - 1))).astype(np.uint32)
    mask = np.where(absent, Mask.ABSENT, 0).astype(np.uint8)
    return ColumnBlock(finished(values), age[:, None], mask[:, None])


def _tags(context: CrossContext, lifts: F64, table: ItemTable, rows: I64) -> F64:
    """Return float64 [n, 4]: mean, greatest and summed tag weight, and mean like lift."""
    numbers = table.tag_numbers(context.tag_ids)
    weights, raises = np.zeros(table.tag_count), np.zeros(table.tag_count)
    weights[numbers], raises[numbers] = context.tag_weights, lifts
    weights[0] = raises[0] = 0.0  # number 0 is the padding
    index, counts = table.tag_index[rows], table.tag_counts[rows]
    widest = int(counts.max(initial=1))
    found = weights[index[:, :widest]]
    divisor = np.maximum(counts, 1)
    total = found.sum(axis=1)
    lift = raises[index[:, :widest]].sum(axis=1) / divisor
    return np.stack([total / divisor, found.max(axis=1), total, lift], axis=1)


def _creators(context: CrossContext, followed: F64, creator_ids: U64) -> F64:
    """Return float64 [n, 2]: the weight of each item's creator, and 1 where the user follows it."""
    out = np.zeros((len(creator_ids), 2))
    if len(context.creator_ids):
        order = np.argsort(context.creator_ids)
        ordered = context.creator_ids[order]
        place = np.minimum(np.searchsorted(ordered, creator_ids), len(ordered) - 1)
        hit = (ordered[place] == creator_ids) & (creator_ids != 0)
        out[hit, 0] = context.creator_weights[order[place[hit]]]
        out[hit, 1] = followed[order[place[hit]]]
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
