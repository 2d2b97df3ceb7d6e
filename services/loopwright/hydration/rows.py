"""User rows, item rows, `recent`, stored answers and projection progress, as Redis holds them; one exchange a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from loopwright.domain.vectors import U64
from loopwright.featurespec.groups import ITEM_STATE_GROUPS, USER_STATE_GROUPS
from loopwright.rpc import Deadline
from loopwright.store import keys
from loopwright.store.client import StoreClient
from loopwright.store.wire import Command

_NO_IDS = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class UserRow:
    """What the store holds of a user.

    Attributes:
        states: State group -> encoded state; groups without facts are missing.
        recent: uint64 ids served within the last ten minutes.
        stored_answer: Packed answer of the request id; empty without one.
        progress_ms: Projector stage -> wall milliseconds when it had last caught up; stages never heard of are missing.
    """

    states: Mapping[str, bytes] = field(default_factory=dict)
    recent: U64 = field(default_factory=lambda: _NO_IDS)
    stored_answer: bytes = b""
    progress_ms: Mapping[str, int] = field(default_factory=dict)


STORE_SHARE = 0.6
"""Part of the call's time that an exchange may take: the rest is for an answer from defaults, should it be in vain."""

ItemState = tuple[int, str, bytes]
"""Item id, state group, encoded state."""


class RowStore(Protocol):
    """The projections that hydration reads; every method raises FeatureStoreDown or FeatureStoreTimeout."""

    async def user(
        self, subject: bytes, *, read_recent: bool, request_id: str, stages: Sequence[str], deadline: Deadline
    ) -> UserRow:
        """Return all that is known of a user, and the progress of the projector's stages."""
        ...

    async def items(self, item_ids: Sequence[int], deadline: Deadline) -> list[ItemState]:
        """Return the states of the items that have any."""
        ...

    async def progress(self, stages: Sequence[str], deadline: Deadline) -> Mapping[str, int]:
        """Return stage -> wall milliseconds when it had last caught up."""
        ...


class RedisRows:
    """The rows in a Redis-compatible server."""

    def __init__(self, store: StoreClient, wall_ms: Callable[[], int], namespace: str = "") -> None:
        """Take a client of `open_store`, the wall clock and the prefix of all keys."""
        self._store = store
        self._wall_ms = wall_ms
        self._namespace = namespace

    async def user(
        self, subject: bytes, *, read_recent: bool, request_id: str, stages: Sequence[str], deadline: Deadline
    ) -> UserRow:
        """Read everything in one round trip."""
        commands: list[Command] = [
            ("HMGET", keys.user_row(subject, self._namespace), *USER_STATE_GROUPS),
            self._read_progress(stages),
        ]
        if read_recent:
            oldest = self._wall_ms() - keys.RECENT_MS
            commands.append(("ZRANGE", keys.recent(subject, self._namespace), oldest, "+inf", "BYSCORE"))
        if request_id:
            commands.append(("GET", keys.stored_answer(subject, request_id, self._namespace)))
        states, progress, *rest = await self._store.ask(commands, _share(deadline))
        recent = rest.pop(0) if read_recent else []
        return UserRow(
            states=_present(USER_STATE_GROUPS, states),
            recent=np.array([int(item) for item in recent], dtype=np.uint64),
            stored_answer=(rest.pop(0) or b"") if request_id else b"",
            progress_ms=_times(stages, progress),
        )

    async def items(self, item_ids: Sequence[int], deadline: Deadline) -> list[ItemState]:
        """Read every item's states in one round trip."""
        commands: list[Command] = [
            ("HMGET", keys.item_row(item, self._namespace), *ITEM_STATE_GROUPS) for item in item_ids
        ]
        answers = await self._store.ask(commands, _share(deadline))
        return [
            (item, group, state)
            for item, states in zip(item_ids, answers, strict=True)
            for group, state in _present(ITEM_STATE_GROUPS, states).items()
        ]

    async def progress(self, stages: Sequence[str], deadline: Deadline) -> Mapping[str, int]:
        """Read every stage's progress in one round trip."""
        [found] = await self._store.ask([self._read_progress(stages)], _share(deadline))
        return _times(stages, found)

    def _read_progress(self, stages: Sequence[str]) -> Command:
        return ("MGET", *[keys.progress(stage, self._namespace) for stage in stages])


def _share(deadline: Deadline) -> Deadline:
    return deadline.child(deadline.remaining() * STORE_SHARE)


def _present(groups: Sequence[str], states: Sequence[bytes | None]) -> dict[str, bytes]:
    return {group: state for group, state in zip(groups, states, strict=True) if state is not None}


def _times(stages: Sequence[str], found: Sequence[bytes | None]) -> dict[str, int]:
    return {stage: int(text) for stage, text in zip(stages, found, strict=True) if text is not None}
