"""`TowerKeeper`: a bundle's two-tower pin in, a verified model with a current index out; each version is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Self

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.vectors import I64
from loopwright.eventlog import Offsets
from loopwright.faults import ModelRejected
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.tower_content import rows_with_facts, tower_content
from loopwright.modelstore import ModelStore
from loopwright.modelstore.loading import Readiness
from loopwright.modelstore.models import open_two_tower
from loopwright.retrieval.index.tower_index import TowerIndex
from loopwright.telemetry import count, names, span


class TowerKeeper:
    """Opens what bundles pin, and keeps every opened version's index at most one interval behind the items."""

    def __init__(
        self,
        store: ModelStore,
        table: ItemTable,
        readiness: Readiness,
        executor: Executor,
        *,
        interval_s: float,
        position: Callable[[], Offsets],
        folded: Callable[[Offsets], None],
    ) -> None:
        """Describe the keeper.

        Args:
            store: Where models lie.
            table: The mirrored items.
            readiness: Where models and indexes are reported.
            executor: One thread; models are opened and indexes changed there, one after the other.
            interval_s: Longest wait before a changed item is searchable.
            position: Offsets that the mirrored items include.
            folded: Told which offsets every index includes.
        """
        self._store, self._table, self._readiness, self._executor = store, table, readiness, executor
        self._interval_s, self._position, self._folded = interval_s, position, folded
        self._indexes: dict[str, TowerIndex] = {}
        self._dirty: set[int] = set()
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to follow the items."""
        self._task = asyncio.create_task(self._follow(), name="index refresh")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def wait(self) -> None:
        """Return once stopped; raise what ended the refreshing otherwise."""
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    def touch(self, rows: I64) -> None:
        """Note that rows of the table have changed; the mirror calls it."""
        self._dirty.update(rows.tolist())

    async def load(self, bundle: PolicyBundle) -> TowerIndex | None:
        """Return the index of the two-tower version that a bundle pins, None when it pins none.

        Raises:
            ModelRejected: The model fails verification.
        """
        version = bundle.models.two_tower
        if not version:
            return None
        async with self._lock:
            if version not in self._indexes:
                self._indexes[version] = await self._open(version)
                await self._readiness.loaded("two_tower", version)
                await self._readiness.loaded("index", version)
            return self._indexes[version]

    async def refresh(self) -> None:
        """Bring every index up to the table."""
        async with self._lock:
            offsets = self._position()
            rows = np.array(sorted(self._dirty), dtype=np.int64)
            self._dirty.clear()
            if len(rows) and self._indexes:
                listed = rows[np.isin(rows, rows_with_facts(self._table))]
                for index in self._indexes.values():
                    await self._put(index, listed)
            self._folded(offsets)

    async def _follow(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(self._interval_s)

    async def _open(self, version: str) -> TowerIndex:
        loop = asyncio.get_running_loop()
        try:
            with span(names.LOAD_MODEL):
                tower = await loop.run_in_executor(self._executor, open_two_tower, self._store, version)
            index = TowerIndex(tower)
            with span(names.BUILD_INDEX):
                await self._put(index, rows_with_facts(self._table))
        except ModelRejected as fault:
            count(names.MODEL_REJECTIONS, model="two_tower", reason=fault.reason)
            await self._readiness.rejected("two_tower", version, str(fault))
            raise
        count(names.MODEL_LOADS, model="two_tower")
        return index

    async def _put(self, index: TowerIndex, rows: I64) -> None:
        order = rows[np.argsort(self._table.ids[rows], kind="stable")]
        ids, content = np.array(self._table.ids[order]), tower_content(self._table, order)
        await asyncio.get_running_loop().run_in_executor(self._executor, index.put, ids, content)
