"""`Administration`: the only writer of the POLICIES topic; what PolicyService does, without gRPC.

The log decides: every change is appended under a lock, then checked in the folded feed, so that an answer
says what is true on the log even when another policy replica wrote at the same time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from loopwright.bundle import (
    BundleFeed,
    Published,
    canonical_json,
    default_document,
    parse_bundle,
    policy_version,
)
from loopwright.eventlog import POLICIES, Event, EventLog, HasNow
from loopwright.faults import (
    BundleInvalid,
    ExpectedPreviousMismatch,
    FieldViolation,
    InvalidRequest,
    UnknownBundle,
    UnknownSurface,
)
from loopwright.policy.bundles.gate import ReadinessGate, Standing
from loopwright.policy.convert import activated_event, published_event, rolled_back_event
from loopwright.policy.faults import NothingToRollBack
from loopwright.rpc import Deadline
from loopwright.telemetry import get_logger

_log = get_logger(__name__)

FIRST_ACTOR = "policy"
_FIRST_REASON = "first start"


@dataclass(frozen=True, slots=True)
class Validation:
    """What is wrong with a document; the version is empty unless nothing is."""

    version: str
    violations: tuple[FieldViolation, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing did."""

    version: str
    already_published: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """A published bundle, whether it is active, and how the live replicas stand to it."""

    published: Published
    active: bool
    standings: tuple[Standing, ...]


class Administration:
    """One per policy process."""

    def __init__(self, log: EventLog, feed: BundleFeed, gate: ReadinessGate, clock: HasNow) -> None:
        """Takes the log to write, the started feed that reads it back, the gate and the mesh clock."""
        self._log = log
        self._feed = feed
        self._gate = gate
        self._clock = clock
        self._lock = asyncio.Lock()

    async def validate(self, document: str) -> Validation:
        """Return what is wrong with a document, and its version when nothing is."""
        try:
            bundle = await asyncio.to_thread(parse_bundle, document)  # a large document takes seconds
        except BundleInvalid as fault:
            return Validation("", fault.violations)
        return Validation(policy_version(bundle), ())

    async def publish(self, document: str, *, actor: str, reason: str, deadline: Deadline) -> Publication:
        """Makes a bundle known; publishing it again appends nothing.

        Raises:
            BundleInvalid: with every violation.
            LogUnavailable, AppendTimeout: nothing is known to be published; a retry is safe.
        """
        bundle = await asyncio.to_thread(parse_bundle, document)
        canonical, version = canonical_json(bundle), policy_version(bundle)
        async with self._lock:
            if self._feed.get(version) is not None:
                return Publication(version, already_published=True)
            event = published_event(
                self._clock, self._log.producer, bundle.surface, version, canonical, actor=actor, reason=reason
            )
            await self._append(bundle.surface, event, deadline)
        _log.info("bundle published", extra={"policy_version": version, "surface": bundle.surface, "actor": actor})
        return Publication(version, already_published=False)

    async def activate(
        self, surface: str, version: str, expected_previous: str, *, actor: str, reason: str, deadline: Deadline
    ) -> list[str]:
        """Makes a published bundle the active one; returns the replicas that had it loaded.

        Raises:
            UnknownSurface: no bundle was ever published for the surface.
            UnknownBundle: the version was never published.
            InvalidRequest: the bundle is for another surface.
            ExpectedPreviousMismatch: another version is active than the caller believes.
            ReplicaNotReady: a live replica has refused the bundle, or still loads it (`ReplicaPending`).
        """
        async with self._lock:
            published = self._published(surface, version)
            self._expect(surface, expected_previous)
            ready = self._gate.require(published)
            if version != expected_previous:
                await self._switch(surface, version, expected_previous, actor, reason, deadline)
        return ready

    async def roll_back(self, surface: str, *, actor: str, reason: str, deadline: Deadline) -> str:
        """Makes the bundle active that was active before the present one; waits for no replica.

        Repeated, it walks further back; the bundle rolled back from is not returned to.

        Raises:
            UnknownSurface: nothing was ever activated on the surface.
            NothingToRollBack: the present bundle is the surface's first.
            ExpectedPreviousMismatch: another replica of policy switched at the same moment.
        """
        async with self._lock:
            active = self._feed.active(surface)
            if active is None:
                raise UnknownSurface()
            if not active.previous:
                raise NothingToRollBack()
            event = rolled_back_event(
                self._clock,
                self._log.producer,
                surface,
                version=active.previous,
                from_version=active.version,
                ordinal=self._switches(surface),
                actor=actor,
                reason=reason,
            )
            await self._append(surface, event, deadline)
            self._expect(surface, active.previous)
        _log.info("rolled back", extra={"policy_version": active.previous, "surface": surface, "actor": actor})
        return active.previous

    def summaries(self, surface: str, limit: int) -> list[Summary]:
        """Return published bundles, newest first.

        Args:
            surface: Only of this one; empty: all.
            limit: Most bundles to return.
        """
        chosen = [entry for entry in reversed(self._feed.published()) if surface in ("", entry.surface)]
        return [
            Summary(entry, self._active_version(entry.surface) == entry.version, tuple(self._gate.standings(entry)))
            for entry in chosen[:limit]
        ]

    async def ensure_first(self, deadline: Deadline) -> None:
        """Publishes and activates the default bundle on a log without policies; finishes a start cut short.

        No replica is waited for: nothing serves before the first activation.
        """
        bundle = parse_bundle(default_document())
        version = policy_version(bundle)
        if any(entry.version != version for entry in self._feed.published()) or self._feed.active(bundle.surface):
            return
        await self.publish(default_document(), actor=FIRST_ACTOR, reason=_FIRST_REASON, deadline=deadline)
        async with self._lock:
            if self._feed.active(bundle.surface) is None:
                await self._switch(bundle.surface, version, "", FIRST_ACTOR, _FIRST_REASON, deadline)

    async def _switch(
        self, surface: str, version: str, expected_previous: str, actor: str, reason: str, deadline: Deadline
    ) -> None:
        event = activated_event(
            self._clock,
            self._log.producer,
            surface,
            version=version,
            expected_previous=expected_previous,
            ordinal=self._switches(surface),
            actor=actor,
            reason=reason,
        )
        await self._append(surface, event, deadline)
        self._expect(surface, version)
        _log.info("bundle activated", extra={"policy_version": version, "surface": surface, "actor": actor})

    async def _append(self, surface: str, event: Event, deadline: Deadline) -> None:
        position = await self._log.append(POLICIES, surface.encode(), event, deadline=deadline)
        await self._feed.reached(position, deadline)

    def _published(self, surface: str, version: str) -> Published:
        if surface not in self._feed.surfaces():
            raise UnknownSurface(f"no bundle was published for surface {surface!r}")
        published = self._feed.state.published.get(version)
        if published is None:
            raise UnknownBundle(metadata={"policy_version": version})
        if published.surface != surface:
            description = f"must be {published.surface!r}, the surface of the bundle"
            raise InvalidRequest(
                f"surface: {description}",
                violations=[FieldViolation("surface", "policy.surface_of_bundle", description)],
            )
        return published

    def _expect(self, surface: str, version: str) -> None:
        active = self._active_version(surface)
        if active != version:
            raise ExpectedPreviousMismatch(metadata={"active": active, "expected": version})

    def _active_version(self, surface: str) -> str:
        active = self._feed.active(surface)
        return active.version if active else ""

    def _switches(self, surface: str) -> int:
        known = self._feed.state.surfaces.get(surface)
        return len(known.switches) if known else 0
