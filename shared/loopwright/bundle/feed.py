"""`BundleFeed`: the published and active bundles of the mesh and each surface's fallback order, tailed from the log.

Every service of the request path holds one: leaves load what is published, the recommender follows what is
active and what stands in for a lost stage, policy waits on it to read its own writes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from loopwright.bundle.activation import Active, Interval, PolicyState, Published, apply
from loopwright.bundle.fallback import FallbackOrder, order_of
from loopwright.bundle.model import PolicyBundle
from loopwright.eventlog import FALLBACKS, POLICIES, EventLog, Position, Record, Tail, Topic
from loopwright.faults import CorruptRecord
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger

_log = get_logger(__name__)


class BundleFeed:
    """Runs the fold of `activation.apply` over a `Tail`; readers see whole states only."""

    def __init__(self, log: EventLog) -> None:
        """Takes the log to tail; nothing is read before `start`."""
        self._state = PolicyState()
        self._fallbacks: dict[str, FallbackOrder] = {}
        self._on_published: list[Callable[[Published], None]] = []
        self._on_activated: list[Callable[[str, Active], None]] = []
        self.tail = Tail(log, [POLICIES, FALLBACKS], self._apply, name="policies")

    async def start(self) -> None:
        """Folds both topics to their present ends, then keeps tailing them.

        Raises:
            LogUnavailable: the log cannot be read.
        """
        await self.tail.start()

    async def stop(self) -> None:
        """Stops tailing."""
        await self.tail.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def wait(self) -> None:
        """Returns after `stop`; raises what ended the tail."""
        await self.tail.wait()

    @property
    def state(self) -> PolicyState:
        """The folded state, immutable."""
        return self._state

    @property
    def caught_up_at_ms(self) -> int | None:
        """Wall time in milliseconds when the feed last knew it had read everything; None: never yet."""
        return self.tail.caught_up_at_ms

    def get(self, version: str) -> PolicyBundle | None:
        """Return a published bundle, None when this version is not known here."""
        entry = self._state.published.get(version)
        return entry.bundle if entry else None

    def published(self) -> list[Published]:
        """Return every published bundle, oldest first."""
        return list(self._state.published.values())

    def active(self, surface: str) -> Active | None:
        """Return what is active on a surface, None before its first activation."""
        return self._state.active(surface)

    def fallback(self, surface: str) -> FallbackOrder | None:
        """Return the newest readable fallback order of a surface, None before the first."""
        return self._fallbacks.get(surface)

    def surfaces(self) -> list[str]:
        """Return the surfaces that have a published bundle, sorted."""
        return sorted({entry.surface for entry in self._state.published.values()})

    def intervals(self, surface: str) -> tuple[Interval, ...]:
        """Return who was active when, in mesh time, oldest first."""
        return self._state.intervals(surface)

    def on_published(self, callback: Callable[[Published], None]) -> None:
        """Calls back for every bundle published so far, now, and for each later one; must not block."""
        self._on_published.append(callback)
        for entry in self.published():
            callback(entry)

    def on_activated(self, callback: Callable[[str, Active], None]) -> None:
        """Calls back for what is active on each surface, now, and at each later switch; must not block."""
        self._on_activated.append(callback)
        for surface in self._state.surfaces:
            active = self._state.active(surface)
            if active is not None:
                callback(surface, active)

    async def reached(self, position: Position, deadline: Deadline, topic: Topic = POLICIES) -> None:
        """Waits until the record at `position` of a topic is folded: read-your-writes.

        Raises:
            DeadlineExceeded: the feed did not get there in time.
            LogUnavailable: the feed was stopped.
        """
        await self.tail.reached({(topic.name, position.partition): position.offset + 1}, deadline)

    def _apply(self, record: Record) -> None:
        if record.topic == FALLBACKS.name:
            self._prepare(record)
        else:
            self._switch(record)

    def _prepare(self, record: Record) -> None:
        try:
            order = order_of(record.event)
        except CorruptRecord as fault:
            _log.warning("a fallback order is void", extra={"reason": fault.message, "surface": record.event.surface})
        else:
            self._fallbacks[order.surface] = order

    def _switch(self, record: Record) -> None:
        before, self._state = self._state, apply(self._state, record.event)
        if len(self._state.voids) > len(before.voids):
            _log.warning("a policy fact is void", extra={"reason": self._state.voids[-1].reason})
        if len(self._state.published) > len(before.published):
            entry = list(self._state.published.values())[-1]
            for published in self._on_published:
                published(entry)
        for surface, after in self._state.surfaces.items():
            active = self._state.active(surface)
            if after is not before.surfaces.get(surface) and active is not None:
                for activated in self._on_activated:
                    activated(surface, active)
