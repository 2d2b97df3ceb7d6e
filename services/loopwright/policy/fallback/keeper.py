"""`FallbackKeeper` keeps an item mirror and prepares the fallback order of every surface, in a task of its own."""

from __future__ import annotations

import asyncio
import time
from typing import Self

from loopwright.bundle import BundleFeed, PolicyBundle
from loopwright.eventlog import FALLBACKS, EventLog, HasNow
from loopwright.faults import AppendTimeout, DeadlineExceeded, LogUnavailable
from loopwright.mirror import ItemMirror
from loopwright.policy.convert import fallback_event
from loopwright.policy.fallback.ordering import LENGTH, eligible_rows, ordered, popular
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger

_log = get_logger(__name__)

LOOK_S = 1.0
"""Time between two looks whether a bundle was activated or a short order could be longer, as during an import."""

APPEND_WITHIN_S = 5.0


class FallbackKeeper:
    """One per policy process. Slates wait for nothing here: the mirror folds while they are served."""

    def __init__(self, log: EventLog, feed: BundleFeed, clock: HasNow, interval_s: float) -> None:
        """Takes the log to write, the started feed that reads it back, the mesh clock, and the time between looks."""
        self._log = log
        self._feed = feed
        self._clock = clock
        self._interval_s = interval_s
        self._mirror = ItemMirror(log)
        self._folded = asyncio.Event()
        self._switched = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin; returns at once."""
        self._feed.on_activated(lambda surface, active: self._switched.set())
        self._task = asyncio.create_task(self._run(), name="fallback orders")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._mirror.stop()

    async def wait(self) -> None:
        """Return once stopped.

        Raises:
            Exception: What ended the keeper otherwise.
        """
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    async def refresh(self) -> int:
        """Prepare the order of every surface with an active bundle; returns how many were new and are on the log.

        Raises:
            LogUnavailable, AppendTimeout, DeadlineExceeded: The log does not answer; the next look tries again.
        """
        await self._folded.wait()
        async with self._turn:
            return sum([await self._prepare(bundle) for bundle in self._active()])

    async def _prepare(self, bundle: PolicyBundle) -> bool:
        items = popular(self._mirror.table)
        if not len(items):  # nothing to show: a request without an order is refused rather than answered with nothing
            return False
        order = await asyncio.to_thread(ordered, bundle, items)
        known = self._feed.fallback(bundle.surface)
        if known is not None and known.order_id == order.order_id:
            return False
        deadline = Deadline.after(APPEND_WITHIN_S)
        event = fallback_event(self._clock, self._log.producer, order)
        position = await self._log.append(FALLBACKS, bundle.surface.encode(), event, deadline=deadline)
        await self._feed.reached(position, deadline, FALLBACKS)
        told = {"surface": bundle.surface, "order": order.label, "items": len(order)}
        _log.info("fallback order prepared", extra=told)
        return True

    def _active(self) -> list[PolicyBundle]:
        found = ((surface, self._feed.active(surface)) for surface in self._feed.surfaces())
        bundles = [self._feed.get(active.version) for _, active in found if active is not None]
        return [bundle for bundle in bundles if bundle is not None]

    def _short(self) -> bool:
        """Say whether an order could hold more items than it does."""
        known = [self._feed.fallback(bundle.surface) for bundle in self._active()]
        held = [0 if order is None else len(order) for order in known]
        return bool(held) and min(held) < min(LENGTH, len(eligible_rows(self._mirror.table)))

    async def _run(self) -> None:
        await self._fold()
        due_s = time.monotonic()
        while True:
            if self._mirror.failure is not None:
                raise self._mirror.failure
            if time.monotonic() >= due_s or self._switched.is_set() or self._short():
                self._switched.clear()
                try:
                    await self.refresh()
                    due_s = time.monotonic() + self._interval_s
                except (LogUnavailable, DeadlineExceeded, AppendTimeout) as fault:
                    _log.warning("a fallback order could not be put on the log", extra={"reason": fault.reason})
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._switched.wait()
            except TimeoutError:
                continue

    async def _fold(self) -> None:
        while True:
            try:
                await self._mirror.start()
            except LogUnavailable as fault:
                _log.warning("the items of fallback orders cannot be read", extra={"reason": fault.reason})
                await self._mirror.stop()
                self._mirror = ItemMirror(self._log)
                await asyncio.sleep(LOOK_S)
            else:
                self._folded.set()
                return
