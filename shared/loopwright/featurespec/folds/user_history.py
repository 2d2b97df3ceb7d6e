"""The fold behind `user_history.v1`: newest actions in the order of (time, client_event_id, event_id), sets by id."""

from __future__ import annotations

import struct
from bisect import bisect

import numpy as np

from loopwright.domain.enums import NEGATIVE_ACTIONS
from loopwright.domain.vectors import LIKED_FLAG
from loopwright.featurespec import codec, user_history
from loopwright.featurespec.folds.actions import Action
from loopwright.featurespec.folds.sorted_times import SortedTimes
from loopwright.featurespec.user_history import MOST_ACTIONS, MOST_VIEWED, TAIL, VERSION

_TIME = struct.Struct(">q")
_I64 = struct.Struct("<q")
_U32 = struct.Struct("<I")
_NO_EVENT = bytes(16)
_NO_FOLLOWS = _U32.pack(0)
_SETS = ("acted", "viewed", "negative", "blocked")


class HistoryFold:
    """Mutable state of one user; every method commutes with every other and is idempotent for sets and registers."""

    def __init__(self) -> None:
        self.erased = False
        self._locale: tuple[int, bytes, str] = (-1, _NO_EVENT, "")
        self._sets = {name: SortedTimes() for name in _SETS}
        self._follows: dict[int, tuple[int, bytes, bool]] = {}
        self._actions: list[bytes] = []
        self._lengths = bytearray()  # of the actions: encoding need not look at each

    @classmethod
    def decode(cls, raw: bytes) -> HistoryFold:
        """Return the fold of encoded bytes.

        Raises:
            CorruptRecord: The bytes are not an encoded state.
        """
        fold = cls()
        reader, fold.erased, fold._locale = user_history.sections(raw)
        for name in _SETS:
            fold._sets[name] = SortedTimes.of(*reader.pairs())
        creators, times, events, followed = user_history.follows(reader)
        for place, (creator, at, state) in enumerate(
            zip(creators.tolist(), times.tolist(), followed.tolist(), strict=True)
        ):
            fold._follows[creator] = (at, events[16 * place : 16 * place + 16], bool(state))
        lengths, packed = user_history.actions(reader)
        reader.end()
        fold._lengths = bytearray(lengths.tobytes())
        start = 0
        for length in lengths.tolist():
            fold._actions.append(packed[start : start + length])
            start += length
        return fold

    def act(self, action: Action, at_ms: int, client_event_id: str, event_id: bytes) -> None:
        """Take an action on an item; not idempotent in the list of actions: the caller drops repeated events."""
        item, kind = action.item_id, action.kind
        flagged = kind | LIKED_FLAG if action.liked else kind
        tail = TAIL.pack(event_id, item, flagged, action.value)
        packed = _TIME.pack(at_ms) + client_event_id.encode() + b"\0" + tail
        actions = self._actions
        place = len(actions) if not actions or packed > actions[-1] else bisect(actions, packed)
        self._lengths.insert(place, len(packed))
        actions.insert(place, packed)
        if len(actions) > MOST_ACTIONS:
            del actions[0], self._lengths[0]
        self._sets["acted"].earliest(item, at_ms)
        if kind in NEGATIVE_ACTIONS:
            self._sets["negative"].earliest(item, at_ms)

    def view(self, item_id: int, at_ms: int) -> None:
        """Take a confirmed view."""
        self._sets["viewed"].latest(item_id, at_ms)

    def block(self, creator_id: int, at_ms: int) -> None:
        """Take the block of a creator."""
        self._sets["blocked"].earliest(creator_id, at_ms)

    def follow(self, creator_id: int, at_ms: int, event_id: bytes, followed: bool) -> None:
        """Take a follow or unfollow; the last by (time, event id) counts."""
        written = (at_ms, event_id, followed)
        self._follows[creator_id] = max(written, self._follows.get(creator_id, written))

    def settle(self, locale: str, at_ms: int, event_id: bytes) -> None:
        """Take a locale; the last by (time, event id) counts."""
        self._locale = max(self._locale, (at_ms, event_id, locale))

    def erase(self) -> None:
        """Forget everything for good."""
        self.__dict__.update(HistoryFold().__dict__, erased=True)

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        at_ms, event_id, locale = self._locale
        self._sets["viewed"].keep_newest(MOST_VIEWED)
        parts = [bytes([VERSION, self.erased]), _I64.pack(at_ms), event_id, codec.text(locale)]
        parts += [self._sets[name].encode() for name in _SETS]
        parts.append(_follow_bytes(self._follows) if self._follows else _NO_FOLLOWS)
        parts += [_U32.pack(len(self._actions)), bytes(self._lengths), *self._actions]
        return b"".join(parts)


def _follow_bytes(follows: dict[int, tuple[int, bytes, bool]]) -> bytes:
    """Return creators, times, event ids and states, each as one column by ascending creator, behind their number."""
    ordered = sorted(follows.items())
    parts = [_U32.pack(len(ordered))]
    parts.append(np.array([creator for creator, _ in ordered], dtype="<u8").tobytes())
    parts.append(np.array([entry[0] for _, entry in ordered], dtype="<i8").tobytes())
    parts += [entry[1] for _, entry in ordered]
    parts.append(bytes(entry[2] for _, entry in ordered))
    return b"".join(parts)
