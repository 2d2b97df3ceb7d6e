"""A user's row as readers see it: decoded states, the history that retrieval reads, the guards that policy obeys."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from loopwright.domain.enums import ActionKind
from loopwright.domain.vectors import LIKED_FLAG, U64, History
from loopwright.featurespec import user_activity, user_history
from loopwright.featurespec.rings import DAY_MS
from loopwright.featurespec.user_activity import UserActivity
from loopwright.featurespec.user_history import UserHistory

_LARGEST_AGE_S = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class UserState:
    """All states of a user."""

    history: UserHistory = field(default_factory=UserHistory)
    activity: UserActivity = field(default_factory=UserActivity)


@dataclass(frozen=True, slots=True)
class Guards:
    """What must not be shown to a user: item ids and creator ids, uint64, ascending."""

    acted: U64
    viewed: U64
    blocked_items: U64
    blocked_creators: U64


EMPTY_USER = UserState()


def read_user(history: bytes | None, activity: bytes | None) -> UserState:
    """Return the decoded states of a user; None or no bytes: nothing is known.

    Raises:
        CorruptRecord: Bytes are not an encoded state.
    """
    return UserState(
        user_history.decode(history) if history else EMPTY_USER.history,
        user_activity.decode(activity) if activity else EMPTY_USER.activity,
    )


def history_of(state: UserState, now_ms: int) -> History:
    """Return the newest actions up to `now_ms`, newest first."""
    history = state.history
    start = len(history.times_ms) - int(np.searchsorted(history.times_ms[::-1], now_ms, side="right"))
    kinds = history.kinds[start:]
    flagged = kinds | np.where(history.liked[start:], np.uint8(LIKED_FLAG), np.uint8(0))
    ages = np.minimum((now_ms - history.times_ms[start:]) // 1000, _LARGEST_AGE_S)
    values = np.where(kinds == ActionKind.RATE, history.values[start:], np.float32(1.0))
    return History(history.item_ids[start:], flagged, values.astype(np.float32), ages.astype(np.uint32))


def guards_of(state: UserState, now_ms: int, seen_days: float) -> Guards:
    """Return what is barred at `now_ms`; views bar an item for `seen_days` days."""
    history = state.history
    recently = (history.viewed_ms > now_ms - seen_days * DAY_MS) & (history.viewed_ms <= now_ms)
    return Guards(
        acted=history.acted[history.acted_ms <= now_ms],
        viewed=history.viewed[recently],
        blocked_items=history.negative[history.negative_ms <= now_ms],
        blocked_creators=history.blocked_creators[history.blocked_creators_ms <= now_ms],
    )
