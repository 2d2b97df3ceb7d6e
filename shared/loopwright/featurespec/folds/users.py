"""Stage 1 for users: events of one subject in, the states of its row out; the projector and the trainer call it."""

from __future__ import annotations

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.enums import ActionKind
from loopwright.domain.vectors import LIKED_FLAG
from loopwright.featurespec import user_activity
from loopwright.featurespec.facts import RAISED, RING_RAISED, SLATE_FLAG, VIEWED, Counter, thousandths
from loopwright.featurespec.folds.bucket_ring import BucketRing
from loopwright.featurespec.folds.said import PAYLOADS, Said, said_of
from loopwright.featurespec.folds.user_history import HistoryFold
from loopwright.featurespec.groups import USER_ACTIVITY, USER_HISTORY
from loopwright.featurespec.rings import DAY_MS, DAYS, HOUR_MS, HOURS
from loopwright.featurespec.users import UserState, read_user

# Plain numbers: looking a member of an enum up costs as much as the sum, and an import has millions of both.
_RATE, _RATING_SUM, _RATING_SQUARES = int(ActionKind.RATE), int(Counter.RATING_SUM), int(Counter.RATING_SQUARES)


def subject_of(event: Event) -> bytes:
    """Return the subject of an event that folds into a user's row, b"" for any other event."""
    payload = event.WhichOneof("payload")
    if payload in PAYLOADS:
        return bytes(getattr(event, payload).subject)
    return b""


class UserFold:
    """The mutable row of one user. Equal sets of events give equal bytes, whatever their order.

    Erasure is for good: once SubjectErased is folded, the row holds nothing of the user, earlier or later.
    It does not drop repeated events; readers of the log do (`eventlog.DedupWindow`).
    """

    def __init__(self) -> None:
        self._history = HistoryFold()
        self._totals = [0] * len(Counter)
        self._first_ms = self._last_ms = -1
        self._hours, self._days = BucketRing(HOURS), BucketRing(DAYS)

    @classmethod
    def decode(cls, history: bytes | None, activity: bytes | None) -> UserFold:
        """Return the fold of encoded states; None or no bytes: nothing is known.

        Raises:
            CorruptRecord: Bytes are not an encoded state.
        """
        fold = cls()
        if history:
            fold._history = HistoryFold.decode(history)
        if activity:
            fold._totals, fold._first_ms, fold._last_ms, hours, days = user_activity.sections(activity)
            fold._hours, fold._days = BucketRing(HOURS, hours), BucketRing(DAYS, days)
        return fold

    def apply(self, event: Event) -> None:
        """Take one event of this user; events that say nothing of users are ignored."""
        self.take(said_of(event), event)

    def take(self, said: Said, event: Event) -> None:
        """Take one event of this user that was read already, as `apply` does."""
        payload, _, at_ms, action = said
        if payload not in PAYLOADS or self._history.erased:
            return
        if action is not None:
            if action.item_id:
                self._history.act(action, at_ms, event.client_event_id, event.event_id)
            kind = action.kind | (LIKED_FLAG if action.liked else 0) | (SLATE_FLAG if action.slate else 0)
            self._count(kind & 0xFF, at_ms)
            if action.kind == _RATE:
                rating = thousandths(action.value)
                self._totals[_RATING_SUM] += rating
                self._totals[_RATING_SQUARES] += rating * rating
            if at_ms > self._last_ms:
                self._last_ms = at_ms
            if at_ms < self._first_ms or self._first_ms < 0:
                self._first_ms = at_ms
        elif payload == "items_viewed":
            seen = [item.item_id for item in event.items_viewed.items if item.seen]
            for item_id in seen:
                self._history.view(item_id, at_ms)
                self._count(VIEWED, at_ms)
        elif payload == "profile_updated":
            self._history.settle(event.profile_updated.locale, at_ms, event.event_id)
        elif payload == "creator_blocked":
            self._history.block(event.creator_blocked.creator_id, at_ms)
        elif payload == "creator_followed":
            self._history.follow(event.creator_followed.creator_id, at_ms, event.event_id, True)
        elif payload == "creator_unfollowed":
            self._history.follow(event.creator_unfollowed.creator_id, at_ms, event.event_id, False)
        else:
            self.__dict__.update(UserFold().__dict__)
            self._history.erase()

    def _count(self, kind: int, at_ms: int) -> None:
        for counter in RAISED[kind]:
            self._totals[counter] += 1
        if (raised := RING_RAISED[kind]) is not None:
            self._hours.add(at_ms // HOUR_MS, raised)
            self._days.add(at_ms // DAY_MS, raised)

    def encode(self) -> dict[str, bytes]:
        """Return the canonical bytes by state group."""
        activity = user_activity.encode(
            self._totals, self._first_ms, self._last_ms, self._hours.encode(), self._days.encode()
        )
        return {USER_HISTORY: self._history.encode(), USER_ACTIVITY: activity}

    def state(self) -> UserState:
        """Return the row as readers see it."""
        encoded = self.encode()
        return read_user(encoded[USER_HISTORY], encoded[USER_ACTIVITY])
