"""`Actions`: everything users did, as columns in the order of events; folds, towers and labels are made of it."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.enums import ENGAGEMENTS, NEGATIVE_ACTIONS
from loopwright.domain.vectors import F32, I64, U8, U64, Bools
from loopwright.eventlog import occurred_at_ms
from loopwright.featurespec.folds.actions import SLATE_ACTION, action_of

_ENGAGED = np.array([kind in ENGAGEMENTS for kind in range(256)])
_NEGATIVE = np.array([kind in NEGATIVE_ACTIONS for kind in range(256)])


@dataclass(frozen=True, slots=True)
class Actions:
    """n actions, oldest first; equal times stand in the order of the client's id, then the event's.

    Attributes:
        users: int64 [n], number of the user.
        item_ids: uint64 [n]; 0 for actions on no item.
        kinds: uint8 [n], `ActionKind`.
        liked: bool [n], whether the action says that the user was satisfied.
        values: float32 [n], the rating of ratings.
        times_ms: int64 [n], mesh time.
        slate: bool [n], whether a slate of ours showed the item.
        judge: bool [n], whether the row judges models instead of teaching them.
    """

    users: I64
    item_ids: U64
    kinds: U8
    liked: Bools
    values: F32
    times_ms: I64
    slate: Bools
    judge: Bools

    def __len__(self) -> int:
        return len(self.users)

    def take(self, chosen: Bools | I64) -> Actions:
        """Return the chosen rows, in their order."""
        return Actions(*(getattr(self, name)[chosen] for name in self.__slots__))

    @property
    def engaged(self) -> Bools:
        """Engagements with an item, bool [n]."""
        return np.asarray(_ENGAGED[self.kinds] & (self.item_ids != 0), dtype=np.bool_)

    @property
    def negative(self) -> Bools:
        """Hides, blocks and reports of an item, bool [n]."""
        return np.asarray(_NEGATIVE[self.kinds] & (self.item_ids != 0), dtype=np.bool_)


class ActionRows:
    """Collects actions in any order; memory is a few arrays and the ids that break ties."""

    def __init__(self) -> None:
        self._user, self._time = array("q"), array("q")
        self._item = array("Q")
        self._kind, self._liked, self._slate, self._judge = (array("B") for _ in range(4))
        self._value = array("f")
        self._ties: list[tuple[str, bytes]] = []

    def __len__(self) -> int:
        return len(self._user)

    def add(self, user: int, event: Event, payload: str, judge: bool) -> None:
        """Take an ActionTaken or OrganicInteraction of a user."""
        action = action_of(event, payload)
        self._user.append(user)
        self._time.append(max(0, occurred_at_ms(event)))
        self._item.append(action.item_id)
        self._kind.append(action.kind)
        self._liked.append(action.liked)
        self._slate.append(payload == SLATE_ACTION)
        self._judge.append(judge)
        self._value.append(action.value)
        self._ties.append((event.client_event_id, event.event_id))

    def ordered(self, numbers: I64) -> Actions:
        """Return the columns in event order.

        Args:
            numbers: int64, the final number of each user as it was added; -1 leaves the user's rows out.
        """
        times = _array(self._time, np.int64)
        order = np.argsort(times, kind="stable")
        bounds = np.flatnonzero(np.r_[True, np.diff(times[order]) > 0, True]) if len(order) else np.zeros(0, np.int64)
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            if end - start > 1:
                order[start:end] = sorted(order[start:end].tolist(), key=self._ties.__getitem__)
        users = numbers[_array(self._user, np.int64)][order] if len(order) else np.zeros(0, np.int64)
        order, users = order[users >= 0], users[users >= 0]
        return Actions(
            users,
            _array(self._item, np.uint64)[order],
            _array(self._kind, np.uint8)[order],
            _array(self._liked, np.uint8)[order] != 0,
            _array(self._value, np.float32)[order],
            times[order],
            _array(self._slate, np.uint8)[order] != 0,
            _array(self._judge, np.uint8)[order] != 0,
        )


def _array(values: array[int] | array[float], dtype: type[np.generic]) -> np.ndarray:
    return np.frombuffer(values.tobytes(), dtype=dtype)
