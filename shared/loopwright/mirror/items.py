"""`ItemMirror` tails `item_rows` into an `ItemTable` and answers for item columns without asking any store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loopwright.domain.vectors import I64, CrossContext
from loopwright.eventlog import ITEM_ROWS, EventLog, Offsets, Record, Tail
from loopwright.featurespec.columns import ColumnBlock, candidate_columns, item_columns
from loopwright.featurespec.groups import ITEM_STATE_GROUPS
from loopwright.featurespec.table import ItemTable
from loopwright.mirror.settled import SettledRows
from loopwright.rpc import Deadline


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
        self._settled = SettledRows(self.table)

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
        """Return the columns of ITEM groups; what each row decides alone is kept while neither it nor the hour changes.

        Args:
            rows: int64 [n]; -1 for items the table does not know.
            now_ms: Mesh time.
            groups: ITEM group versions, in column order.
        """
        return item_columns(self.table, rows, now_ms, groups, self._settled.at)

    def candidate_columns(self, context: CrossContext, rows: I64, now_ms: int, groups: Sequence[str]) -> ColumnBlock:
        """Return ITEM and CROSS groups side by side in the given order; hydration's one call."""
        return candidate_columns(context, self.table, rows, now_ms, groups, self.columns)
