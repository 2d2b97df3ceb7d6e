"""What the deployed mesh keeps in its Redis-compatible server, in memory: hydration reads it, exposure writes to it.

Rows are those of the projector's store; what lives for minutes only stands in `Volatile`, under the same keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from loopwright.eventlog import WallClock
from loopwright.exposure.answers import KEPT_MS
from loopwright.featurespec.groups import ITEM_STATE_GROUPS, USER_STATE_GROUPS
from loopwright.hydration.rows import ItemState, UserRow
from loopwright.projector.store import StateStore
from loopwright.rpc import Deadline
from loopwright.store import keys


class Volatile:
    """Stored answers and recent slates, each forgotten when its time is over."""

    def __init__(self, wall_ms: WallClock) -> None:
        """Take the wall clock, in milliseconds."""
        self._wall_ms = wall_ms
        self._answers: dict[str, tuple[int, bytes]] = {}
        self._recent: dict[str, dict[int, int]] = {}

    def answer(self, key: str) -> bytes | None:
        """Return the stored answer that is not over yet."""
        until_ms, packed = self._answers.get(key, (0, b""))
        return packed if until_ms > self._wall_ms() else None

    def store(self, key: str, packed: bytes) -> None:
        """Keep an answer for a minute."""
        now = self._wall_ms()
        while self._answers:  # oldest first: all are kept equally long
            oldest = next(iter(self._answers))
            if self._answers[oldest][0] > now:
                break
            del self._answers[oldest]
        self._answers.pop(key, None)
        self._answers[key] = (now + KEPT_MS, packed)

    def forget(self, key: str) -> None:
        """Remove an answer."""
        self._answers.pop(key, None)

    def recent(self, key: str) -> list[int]:
        """Return the item ids that were added within `RECENT_MS`."""
        oldest = self._wall_ms() - keys.RECENT_MS
        return [item for item, at_ms in self._recent.get(key, {}).items() if at_ms >= oldest]

    def add_recent(self, key: str, item_ids: Sequence[int]) -> None:
        """Add item ids as of now, and drop those that are over."""
        now = self._wall_ms()
        kept = {item: at for item, at in self._recent.get(key, {}).items() if at > now - keys.RECENT_MS}
        self._recent[key] = kept | dict.fromkeys(item_ids, now)


class MemoryRows:
    """Hydration's `RowStore`."""

    def __init__(self, store: StateStore, volatile: Volatile) -> None:
        """Take the projector's store and what lives for minutes."""
        self._store, self._volatile = store, volatile

    async def user(
        self, subject: bytes, *, read_recent: bool, request_id: str, stages: Sequence[str], deadline: Deadline
    ) -> UserRow:
        """See `RowStore.user`."""
        [states] = await self._store.rows([keys.user_row(subject)], USER_STATE_GROUPS)
        recent = self._volatile.recent(keys.recent(subject)) if read_recent else []
        stored = self._volatile.answer(keys.stored_answer(subject, request_id)) if request_id else None
        return UserRow(states, np.array(recent, dtype=np.uint64), stored or b"", await self.progress(stages, deadline))

    async def items(self, item_ids: Sequence[int], deadline: Deadline) -> list[ItemState]:
        """See `RowStore.items`."""
        rows = await self._store.rows([keys.item_row(item) for item in item_ids], ITEM_STATE_GROUPS)
        return [(item, group, state) for item, row in zip(item_ids, rows, strict=True) for group, state in row.items()]

    async def progress(self, stages: Sequence[str], deadline: Deadline) -> Mapping[str, int]:
        """See `RowStore.progress`."""
        told = await self._store.values([keys.progress(stage) for stage in stages])
        return {stage: int(text) for stage, text in zip(stages, told, strict=True) if text is not None}


class MemoryAnswers:
    """Exposure's `AnswerStore`."""

    def __init__(self, volatile: Volatile) -> None:
        """Take what lives for minutes."""
        self._volatile = volatile

    async def claim(self, subject: bytes, request_id: str, claim: bytes, deadline: Deadline) -> bytes | None:
        """See `AnswerStore.claim`."""
        key = keys.stored_answer(subject, request_id)
        stored = self._volatile.answer(key)
        if stored is None:
            self._volatile.store(key, claim)
        return stored

    async def keep(
        self, subject: bytes, request_id: str, packed: bytes | None, served: Sequence[int], deadline: Deadline
    ) -> None:
        """See `AnswerStore.keep`."""
        if packed is not None:
            self._volatile.store(keys.stored_answer(subject, request_id), packed)
        if served:
            self._volatile.add_recent(keys.recent(subject), served)

    async def forget(self, subject: bytes, request_id: str, claim: bytes) -> None:
        """See `AnswerStore.forget`."""
        key = keys.stored_answer(subject, request_id)
        if self._volatile.answer(key) == claim:
            self._volatile.forget(key)
