"""The fold of the POLICIES topic: which bundles are published, which is active where, and since when.

`apply(state, event) -> state` is pure: no I/O, no clock. `BundleFeed` runs it live; verify and tests replay it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from loopwright.bundle.canonical import version_of
from loopwright.bundle.document import parse_bundle
from loopwright.bundle.model import PolicyBundle
from loopwright.eventlog import Event, occurred_at_ms, payload_name
from loopwright.faults import BundleInvalid

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Published:
    """A bundle that leaves have to load; `version` is the hash of the bytes on the log."""

    version: str
    surface: str
    bundle: PolicyBundle
    canonical: bytes
    published_at_ms: int
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Active:
    """What is active on a surface; `previous` is what a rollback returns to, empty when there is nothing."""

    version: str
    previous: str
    activated_at_ms: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open stretch of mesh time, in milliseconds, with one active version; open-ended when None."""

    version: str
    from_ms: int
    until_ms: int | None


@dataclass(frozen=True, slots=True)
class Void:
    """A fact that changed nothing, and why."""

    event_id: bytes
    reason: str


SET_BACK_MS = 60_000
"""A later fact that is older by more than this shows that the mesh clock was set back, as an import does."""


@dataclass(frozen=True, slots=True)
class SurfaceState:
    """One surface: the versions a rollback walks back along (the last is active), and every switch ever made."""

    stack: tuple[str, ...] = ()
    switches: tuple[tuple[str, int], ...] = ()

    def switched(self, stack: tuple[str, ...], at_ms: int) -> SurfaceState:
        """Return the surface with another stack, whose last version is active from `at_ms` on.

        Mesh time may be set back only until the first SERVE decision, so nothing that went before was ever shown: of
        the versions before, the last one held until `at_ms`. Lesser steps back are those of a wall clock.
        """
        kept = self.switches
        if kept and kept[-1][1] - at_ms > SET_BACK_MS:
            kept = ((kept[-1][0], 0),)
        since = max(at_ms, kept[-1][1]) if kept else at_ms
        return SurfaceState(stack, (*kept, (stack[-1], since)))


@dataclass(frozen=True, slots=True)
class PolicyState:
    """Everything the POLICIES topic says up to some record."""

    published: Mapping[str, Published] = field(default_factory=lambda: MappingProxyType({}))
    surfaces: Mapping[str, SurfaceState] = field(default_factory=lambda: MappingProxyType({}))
    seen: frozenset[bytes] = frozenset()
    voids: tuple[Void, ...] = ()

    def active(self, surface: str) -> Active | None:
        """Return what is active on a surface, None before its first activation."""
        known = self.surfaces.get(surface)
        if known is None:
            return None
        previous = known.stack[-2] if len(known.stack) > 1 else ""
        return Active(known.stack[-1], previous, known.switches[-1][1])

    def intervals(self, surface: str) -> tuple[Interval, ...]:
        """Return who was active when, oldest first, without gaps; empty intervals are left out.

        The first reaches back to the beginning: it was activated by wall time, which may lie after the mesh time that
        an import set, and there was nobody before it.
        """
        switches = self.surfaces.get(surface, SurfaceState()).switches
        begun = tuple((version, since if place else 0) for place, (version, since) in enumerate(switches))
        ends: list[int | None] = [since for _, since in switches[1:]]
        pairs = zip(begun, [*ends, None], strict=False)
        return tuple(Interval(version, since, until) for (version, since), until in pairs if since != until)


def apply(state: PolicyState, event: Event) -> PolicyState:
    """Return the state after one fact of the POLICIES topic.

    A fact is void, and only noted in `voids`, when its bundle is unknown or for another surface, its bytes
    are not what their hash says or cannot be read, the active version is not the one it expects, or its event
    id was seen before (what was void once stays void). Voiding instead of raising is what makes concurrent
    administrators safe: the log decides who was first.
    """
    if event.event_id in state.seen:
        return _void(state, event, "REPEATED")
    handlers = {
        "policy_published": _published,
        "policy_activated": _activated,
        "policy_rolled_back": _rolled_back,
    }
    handler = handlers.get(payload_name(event))
    if handler is None:
        return state
    after = handler(state, event)
    if isinstance(after, str):
        return _void(state, event, after)
    return replace(after, seen=state.seen | {event.event_id})


def _published(state: PolicyState, event: Event) -> PolicyState | str:
    fact = event.policy_published
    if fact.policy_version in state.published:
        return "ALREADY_PUBLISHED"
    if version_of(fact.canonical) != fact.policy_version:
        return "HASH_MISMATCH"
    try:
        bundle = parse_bundle(fact.canonical)
    except BundleInvalid as fault:
        return f"UNREADABLE: {fault.message}"
    if bundle.surface != fact.surface:
        return "OTHER_SURFACE"
    entry = Published(
        version=fact.policy_version,
        surface=fact.surface,
        bundle=bundle,
        canonical=fact.canonical,
        published_at_ms=occurred_at_ms(event),
        actor=fact.actor,
        reason=fact.reason,
    )
    return replace(state, published=_with(state.published, entry.version, entry))


def _activated(state: PolicyState, event: Event) -> PolicyState | str:
    fact = event.policy_activated
    published = state.published.get(fact.policy_version)
    if published is None:
        return "UNKNOWN_BUNDLE"
    if published.surface != fact.surface:
        return "OTHER_SURFACE"
    surface = state.surfaces.get(fact.surface, SurfaceState())
    active = surface.stack[-1] if surface.stack else ""
    if fact.expected_previous != active:
        return "EXPECTED_PREVIOUS_MISMATCH"
    if fact.policy_version == active:
        return "ALREADY_ACTIVE"
    after = surface.switched((*surface.stack, fact.policy_version), occurred_at_ms(event))
    return replace(state, surfaces=_with(state.surfaces, fact.surface, after))


def _rolled_back(state: PolicyState, event: Event) -> PolicyState | str:
    fact = event.policy_rolled_back
    surface = state.surfaces.get(fact.surface, SurfaceState())
    if len(surface.stack) < 2:
        return "NOTHING_TO_ROLL_BACK"
    if surface.stack[-1] != fact.from_version or surface.stack[-2] != fact.policy_version:
        return "EXPECTED_PREVIOUS_MISMATCH"
    after = surface.switched(surface.stack[:-1], occurred_at_ms(event))
    return replace(state, surfaces=_with(state.surfaces, fact.surface, after))


def _void(state: PolicyState, event: Event, reason: str) -> PolicyState:
    void = Void(event.event_id, reason)
    return replace(state, seen=state.seen | {event.event_id}, voids=(*state.voids, void))


def _with(mapping: Mapping[str, T], key: str, value: T) -> Mapping[str, T]:
    return MappingProxyType({**mapping, key: value})
