"""State group `user_history.v1`: a user's newest actions and lasting facts; its bytes, and how readers see them.

The fold that writes it is `folds/user_history.py`; hydration and the trainer read it here without a loop over actions.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from loopwright.domain.vectors import F32, I64, KIND_MASK, LIKED_FLAG, U8, U64, Bools
from loopwright.faults import CorruptRecord
from loopwright.featurespec import codec

GROUP = "user_history.v1"
VERSION = 1
MOST_ACTIONS = 512
MOST_VIEWED = 4096
"""Confirmed views kept: the newest; 4,096 in `seen_days` is more than any person looks at."""

TAIL = struct.Struct("<16sQBf")
"""End of an action's bytes: event id, item, kind with flag, value. Before it: time (8 bytes, big-endian), the client's
event id in UTF-8 and a zero byte, so that bytes order as (time, client_event_id, event_id)."""

_TAIL_FIELDS = np.dtype([("event", "S16"), ("item", "<u8"), ("kind", "u1"), ("value", "<f4")])


def _no_ids() -> U64:
    return np.zeros(0, dtype=np.uint64)


def _no_times() -> I64:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class UserHistory:
    """Actions newest first, [L]; ids ascending with their times in milliseconds, each pair of one length.

    Attributes:
        acted: Items ever acted on, with the first time.
        viewed: Items confirmed viewed, with the last time; the newest 4,096.
        negative: Items hidden, blocked or reported, with the first time.
        blocked_creators: With the first time.
        followed_creators: Those followed now, with the time.
        erased: The user asked to be forgotten; nothing else is kept.
    """

    times_ms: I64 = field(default_factory=_no_times)
    item_ids: U64 = field(default_factory=_no_ids)
    kinds: U8 = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    liked: Bools = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    values: F32 = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    acted: U64 = field(default_factory=_no_ids)
    acted_ms: I64 = field(default_factory=_no_times)
    viewed: U64 = field(default_factory=_no_ids)
    viewed_ms: I64 = field(default_factory=_no_times)
    negative: U64 = field(default_factory=_no_ids)
    negative_ms: I64 = field(default_factory=_no_times)
    blocked_creators: U64 = field(default_factory=_no_ids)
    blocked_creators_ms: I64 = field(default_factory=_no_times)
    followed_creators: U64 = field(default_factory=_no_ids)
    followed_creators_ms: I64 = field(default_factory=_no_times)
    locale: str = ""
    erased: bool = False


def sections(raw: bytes) -> tuple[codec.Reader, bool, tuple[int, bytes, str]]:
    """Return a reader behind the head of the state's bytes, whether erased, and the locale's register."""
    reader = codec.Reader(raw, GROUP, VERSION)
    erased = bool(reader.u8())
    return reader, erased, (reader.i64(), reader.take(16), reader.text())


def follows(reader: codec.Reader) -> tuple[U64, I64, bytes, U8]:
    """Return creators, times, event ids (16 bytes each) and 1 for followed, 0 for unfollowed."""
    count = reader.u32()
    creators, times, events = reader.u64s(count), reader.i64s(count), reader.take(16 * count)
    return creators, times, events, np.frombuffer(reader.take(count), dtype=np.uint8)


def actions(reader: codec.Reader) -> tuple[U8, bytes]:
    """Return the length of each action's bytes, oldest first, and the bytes."""
    lengths = np.frombuffer(reader.take(reader.u32()), dtype=np.uint8)
    return lengths, reader.take(int(lengths.sum(dtype=np.int64)))


def decode(raw: bytes) -> UserHistory:
    """Return the state of encoded bytes.

    Raises:
        CorruptRecord: The bytes are not an encoded state.
    """
    reader, erased, (_, _, locale) = sections(raw)
    acted, viewed, negative, blocked = reader.pairs(), reader.pairs(), reader.pairs(), reader.pairs()
    creators, follow_ms, _, followed = follows(reader)
    lengths, packed = actions(reader)
    reader.end()
    stays = followed.astype(np.bool_)
    times, tails = _unpacked(lengths, packed)
    kinds = tails["kind"]
    return UserHistory(
        times_ms=times,
        item_ids=tails["item"].astype(np.uint64),
        kinds=kinds & np.uint8(KIND_MASK),
        liked=(kinds & np.uint8(LIKED_FLAG)) != 0,
        values=tails["value"].astype(np.float32),
        acted=acted[0],
        acted_ms=acted[1],
        viewed=viewed[0],
        viewed_ms=viewed[1],
        negative=negative[0],
        negative_ms=negative[1],
        blocked_creators=blocked[0],
        blocked_creators_ms=blocked[1],
        followed_creators=creators[stays],
        followed_creators_ms=follow_ms[stays],
        locale=locale,
        erased=erased,
    )


def _unpacked(lengths: U8, packed: bytes) -> tuple[I64, np.ndarray]:
    """Return times int64 [L] and the tails, newest first, gathered from actions of unequal length."""
    if (lengths < 8 + 1 + TAIL.size).any():
        raise CorruptRecord(f"{GROUP}: an action is too short")
    raw = np.frombuffer(packed, dtype=np.uint8)
    ends = np.cumsum(lengths, dtype=np.int64)[::-1]
    starts = ends - lengths[::-1]
    heads = raw[starts[:, None] + np.arange(8)]
    tails = raw[ends[:, None] + np.arange(-TAIL.size, 0)]
    times = np.ascontiguousarray(heads).view(">i8").ravel().astype(np.int64)
    return times, np.ascontiguousarray(tails).view(_TAIL_FIELDS).ravel()
