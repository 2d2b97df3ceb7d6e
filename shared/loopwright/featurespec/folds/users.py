"""Stage 1 for users: events of one subject in, the states of its row out; the projector and the trainer call it."""

from __future__ import annotations

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.enums import ActionKind
from loopwright.domain.vectors import LIKED_FLAG
from loopwright.featurespec import user_activity
from loopwright.featurespec.facts import RAISED, RING_COUNTERS, SLATE_FLAG, VIEWED, Counter, thousandths
from loopwright.featurespec.folds.said import PAYLOADS, Said, said_of
from loopwright.featurespec.folds.user_history import HistoryFold
from loopwright.featurespec.groups import USER_ACTIVITY, USER_HISTORY
from loopwright.featurespec.rings import DAY_MS, DAYS, HOUR_MS, HOURS
from loopwright.featurespec.user_activity import Buckets, kept
from loopwright.featurespec.users import UserState, read_user

_SLACK = 16  # buckets beyond a ring's size that are tolerated before the old ones are dropped


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
        self._hours: Buckets = {}
        self._days: Buckets = {}

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
            state = user_activity.decode(activity)
            fold._totals = state.totals.tolist()
            fold._first_ms, fold._last_ms = state.first_ms, state.last_ms
            fold._hours = dict(zip(state.hours.tolist(), state.hourly.tolist(), strict=True))
            fold._days = dict(zip(state.days.tolist(), state.daily.tolist(), strict=True))
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
            self._count(RAISED[kind & 0xFF], at_ms, 1)
            if action.kind == ActionKind.RATE:
                rating = thousandths(action.value)
                self._totals[Counter.RATING_SUM] += rating
                self._totals[Counter.RATING_SQUARES] += rating * rating
            self._first_ms = at_ms if self._first_ms < 0 else min(self._first_ms, at_ms)
            self._last_ms = max(self._last_ms, at_ms)
        elif payload == "items_viewed":
            seen = [item.item_id for item in event.items_viewed.items if item.seen]
            for item_id in seen:
                self._history.view(item_id, at_ms)
            if seen:
                self._count(RAISED[VIEWED], at_ms, len(seen))
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

    def _count(self, counters: tuple[int, ...], at_ms: int, amount: int) -> None:
        hour = day = None
        for counter in counters:
            self._totals[counter] += amount
            if counter < RING_COUNTERS:
                if hour is None or day is None:
                    hour = _bucket(self._hours, at_ms // HOUR_MS, HOURS)
                    day = _bucket(self._days, at_ms // DAY_MS, DAYS)
                hour[counter] += amount
                day[counter] += amount

    def encode(self) -> dict[str, bytes]:
        """Return the canonical bytes by state group."""
        activity = user_activity.encode(self._totals, self._first_ms, self._last_ms, self._hours, self._days)
        return {USER_HISTORY: self._history.encode(), USER_ACTIVITY: activity}

    def state(self) -> UserState:
        """Return the row as readers see it."""
        encoded = self.encode()
        return read_user(encoded[USER_HISTORY], encoded[USER_ACTIVITY])


def _bucket(buckets: Buckets, place: int, size: int) -> list[int]:
    found = buckets.get(place)
    if found is None:
        found = buckets[place] = [0] * RING_COUNTERS
        if len(buckets) > size + _SLACK:
            for old, _ in sorted(buckets.items())[: len(buckets) - len(kept(buckets, size))]:
                del buckets[old]
    return found
