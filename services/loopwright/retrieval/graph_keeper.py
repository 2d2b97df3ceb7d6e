"""`GraphKeeper`: interactions on the log in, the co-visitation graph out; rebuilt aside, swapped whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Self

from loopwright.eventlog import ACTIONS, ORGANIC, EventLog, Offsets, Record, SkipAndCount, Tail
from loopwright.featurespec.covisitation import Engagements, Graph, build_graph, empty_graph
from loopwright.featurespec.folds.covisitation import fold_engagement

BUILD_SHARE = 0.05
"""Largest share of one CPU that building may take: after a long build the next one waits longer."""


class GraphKeeper:
    """Tails organic interactions and actions, and keeps a graph of them, at most one interval behind."""

    def __init__(self, log: EventLog, executor: Executor, interval_s: float, folded: Callable[[Offsets], None]) -> None:
        """Describe the keeper.

        Args:
            log: Where interactions are.
            executor: Where graphs are built.
            interval_s: Shortest time between two builds.
            folded: Told which offsets the present graph includes.
        """
        self._executor, self._interval_s, self._folded = executor, interval_s, folded
        self.engagements = Engagements()
        self._graph = empty_graph()
        self._changed = False
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.skipped = SkipAndCount("co-visitation")
        self.tail = Tail(
            log,
            [ORGANIC, ACTIONS],
            self._apply,
            after_batch=self._moved.set,
            on_undecodable=self.skipped,
            gather=True,
            name="co-visitation",
        )

    @property
    def graph(self) -> Graph:
        """The present graph; never changed, only replaced."""
        return self._graph

    async def __aenter__(self) -> Self:
        """Catch up and build the first graph, then go on in the background."""
        await self.tail.start()
        await self._refresh()
        self._task = asyncio.create_task(self._follow(), name="co-visitation graph")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop building, then tailing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.tail.stop()

    async def wait(self) -> None:
        """Return once stopped; raise what ended the builds otherwise (the tail is watched on its own)."""
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    def _apply(self, record: Record) -> None:
        self._changed |= fold_engagement(self.engagements, record.event)

    async def _follow(self) -> None:
        while True:
            await self._moved.wait()
            self._moved.clear()
            await self._rest(await self._refresh())

    async def _rest(self, seconds: float) -> None:
        """Wait, but no longer than until an interval brought no records: the last build must not wait for others."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            before = self.tail.position()
            await asyncio.sleep(min(left, self._interval_s))
            if self.tail.position() == before:
                return

    async def _refresh(self) -> float:
        """Bring the graph up to the tail's position; returns how long to rest."""
        offsets, changed = self.tail.position(), self._changed
        spent = 0.0
        if changed:
            self._changed = False
            pairs = self.engagements.snapshot()
            began = time.monotonic()
            loop = asyncio.get_running_loop()
            self._graph = await loop.run_in_executor(self._executor, build_graph, pairs)
            spent = time.monotonic() - began
        self._folded(offsets)
        return max(self._interval_s, spent / BUILD_SHARE) if changed else 0.0
