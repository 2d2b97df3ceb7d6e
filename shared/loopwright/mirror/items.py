"""`ItemMirror` tails `item_rows` into an `ItemTable` and answers for item columns without asking any store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from loopwright.domain.vectors import I64, CrossContext
from loopwright.eventlog import ITEM_ROWS, EventLog, Offsets, Record, Tail
from loopwright.featurespec.columns import ColumnBlock, candidate_columns, item_columns
from loopwright.featurespec.groups import ITEM_STATE_GROUPS
from loopwright.featurespec.rings import HOUR_MS
from loopwright.featurespec.table import ItemTable
from loopwright.rpc import Deadline

_CACHED_AT_MOST = 8
_WORTH_CACHING = 4096  # items; above it the whole matrix would hold the event loop for too long


class ItemMirror:
    """The items of the mesh, at most as old as `lag_s` says. It runs on the event loop and is read on it."""

    def __init__(
        self,
        log: EventLog,
        table: ItemTable | None = None,
        *,
        on_rows: Callable[[I64], None] | None = None,
    ) -> None:
        """Describe the mirror; `start` begins.

        Args:
            log: Where to read.
            table: The table to keep current, by default a new one.
            on_rows: Told after each batch which rows of the table have changed.
        """
        self.table = table if table is not None else ItemTable()
        self._on_rows = on_rows
        self._waiting: dict[tuple[int, str], bytes] = {}
        self._tail = Tail(log, [ITEM_ROWS], self._collect, after_batch=self._take, gather=True, name="item mirror")
        self._cached: dict[tuple[str, ...], ColumnBlock] = {}
        self._cached_for = (-1, -1)

    def _collect(self, record: Record) -> None:
        if record.event.WhichOneof("payload") == "item_row_folded":
            row = record.event.item_row_folded
            if row.group_version in ITEM_STATE_GROUPS:  # another build's groups are none of ours
                self._waiting[row.item_id, row.group_version] = row.state

    def _take(self) -> None:
        rows = self.table.put_many((item, group, state) for (item, group), state in self._waiting.items())
        self._waiting.clear()
        if self._on_rows is not None and len(rows):
            self._on_rows(rows)

    async def start(self, deadline: Deadline | None = None) -> None:
        """Catch up with the log, then follow it.

        Raises:
            DeadlineExceeded: The deadline passed first.
            CorruptRecord: A row's bytes do not decode.
        """
        await self._tail.start(deadline)

    async def stop(self) -> None:
        """Stop following."""
        await self._tail.stop()

    async def wait(self) -> None:
        """Return once stopped.

        Raises:
            Exception: What ended the tail otherwise.
        """
        await self._tail.wait()

    @property
    def failure(self) -> Exception | None:
        """What ended the tail, None while it runs."""
        return self._tail.failure

    def progress(self) -> Offsets:
        """Return the offsets of `item_rows` that the table includes."""
        return self._tail.position()

    def lag_s(self, wall_ms: int) -> float:
        """Return how old the table may be in seconds; infinite before it first caught up."""
        return self._tail.lag_s(wall_ms)

    def columns(self, rows: I64, now_ms: int, groups: Sequence[str]) -> ColumnBlock:
        """Return the columns of ITEM groups; the whole matrix is kept while neither the hour nor a row changes."""
        if len(self.table) > _WORTH_CACHING or not len(rows) or (rows < 0).any():
            return item_columns(self.table, rows, now_ms, groups)
        now = (self.table.version, now_ms // HOUR_MS)
        if now != self._cached_for or len(self._cached) > _CACHED_AT_MOST:
            self._cached, self._cached_for = {}, now
            # The first question after a change is answered for itself: with a change a request, that is all of them.
            return item_columns(self.table, rows, now_ms, groups)
        key = tuple(groups)
        if key not in self._cached:
            self._cached[key] = item_columns(self.table, np.arange(len(self.table)), now_ms, groups)
        block = self._cached[key]
        return ColumnBlock(block.columns[rows], block.ages_s[rows], block.mask[rows])

    def candidate_columns(self, context: CrossContext, rows: I64, now_ms: int, groups: Sequence[str]) -> ColumnBlock:
        """Return ITEM and CROSS groups side by side in the given order; hydration's one call."""
        return candidate_columns(context, self.table, rows, now_ms, groups, self.columns)
