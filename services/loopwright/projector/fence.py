"""The fence: a key by which a stage proves, commit by commit, that the store is the one it left.

A store is a projection and may lose everything (emptied) or its newest part (restarted from an older state). The last
command of every commit moves the fence, so whoever finds the fence as it left it also finds every row it wrote.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopwright.projector import keys
from loopwright.projector.store import StateStore, Write
from loopwright.projector.swap import Swap
from loopwright.store import keys as row_keys


class FencedStore:
    """A stage's view of the store: every commit stands behind the stage's fence. One task uses it at a time."""

    def __init__(self, store: StateStore, stage: str, incarnation: str) -> None:
        """Take the store, the stage's name, and what no earlier process has written into the fence."""
        self._store, self._incarnation = store, incarnation
        self._key = keys.fence(stage)
        self._moves = 0
        self._last: bytes | None = None
        self._new: dict[str, bytes] = {self._key: b"new", row_keys.progress(stage): b"0"}

    @property
    def witnesses(self) -> tuple[str, ...]:
        """Keys that are there as long as the store was not emptied: the fence and the stage's progress."""
        return tuple(self._new)

    @property
    def initial(self) -> dict[str, bytes]:
        """What the witnesses hold in a store that nothing was folded into: progress 0, that is, never caught up."""
        return dict(self._new)

    async def begin(self) -> None:
        """Take the store as it is; to be called before the marks are read.

        Raises:
            StoreEmptied: The store was emptied.
        """
        self._last = None
        await self.commit([])

    async def rows(self, keys: Sequence[str], groups: Sequence[str]) -> list[dict[str, bytes]]:
        """See `StateStore.rows`."""
        return await self._store.rows(keys, groups)

    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """See `StateStore.values`."""
        return await self._store.values(keys)

    async def commit(self, writes: Sequence[Write]) -> None:
        """Write as `StateStore.commit` does, and move the fence; without writes it only asks whether all is well.

        Raises:
            StoreEmptied: The store was emptied: nothing is written, or the last of it into the emptied store.
            StoreRolledBack: The store has lost its newest writes; nothing is written.
        """
        self._moves += 1
        new = f"{self._incarnation}:{self._moves}".encode()
        await self._store.commit(writes, Swap(self._key, self._last, new))
        self._last = new
