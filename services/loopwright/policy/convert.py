"""PolicyService's messages and the events of the POLICIES and FALLBACKS topics, made from domain objects and back."""

from __future__ import annotations

from collections.abc import Sequence

from loopwright.api.events.v1 import policy_pb2 as facts
from loopwright.api.policy.v1 import policy_service_pb2 as pb
from loopwright.bundle import FallbackOrder
from loopwright.domain.ids import event_id
from loopwright.eventlog import Event, HasNow, make_event, set_ms
from loopwright.faults import FieldViolation


def published_event(
    clock: HasNow, producer: str, surface: str, version: str, canonical: bytes, *, actor: str, reason: str
) -> Event:
    """Return PolicyPublished; its id is a function of the version, so that a repeat is the same fact."""
    return make_event(
        event_id("policy_published", version),
        clock.now_ms(),
        clock,
        producer,
        surface=surface,
        policy_published=facts.PolicyPublished(
            policy_version=version, surface=surface, canonical=canonical, actor=actor, reason=reason
        ),
    )


def activated_event(
    clock: HasNow,
    producer: str,
    surface: str,
    *,
    version: str,
    expected_previous: str,
    ordinal: int,
    actor: str,
    reason: str,
) -> Event:
    """Return PolicyActivated; `ordinal` counts the switches before it, so that a resent append is the same fact."""
    return make_event(
        event_id("policy_activated", surface, ordinal, version, expected_previous),
        clock.now_ms(),
        clock,
        producer,
        surface=surface,
        policy_activated=facts.PolicyActivated(
            policy_version=version,
            surface=surface,
            expected_previous=expected_previous,
            actor=actor,
            reason=reason,
        ),
    )


def rolled_back_event(
    clock: HasNow,
    producer: str,
    surface: str,
    *,
    version: str,
    from_version: str,
    ordinal: int,
    actor: str,
    reason: str,
) -> Event:
    """Return PolicyRolledBack; `ordinal` counts the switches before it, so that a resent append is the same fact."""
    return make_event(
        event_id("policy_rolled_back", surface, ordinal, version),
        clock.now_ms(),
        clock,
        producer,
        surface=surface,
        policy_rolled_back=facts.PolicyRolledBack(
            policy_version=version, surface=surface, from_version=from_version, actor=actor, reason=reason
        ),
    )


def fallback_event(clock: HasNow, producer: str, order: FallbackOrder) -> Event:
    """Return FallbackPrepared; its id is a function of the order, so that two replicas state the same fact."""
    return make_event(
        event_id("fallback_prepared", order.surface, order.order_id),
        clock.now_ms(),
        clock,
        producer,
        surface=order.surface,
        fallback_prepared=facts.FallbackPrepared(
            surface=order.surface,
            policy_version=order.policy_version,
            order_id=order.order_id,
            item_ids=order.item_ids.tolist(),
            creator_ids=order.creator_ids.tolist(),
            first_tag_ids=order.first_tag_ids.tolist(),
            external_ids=order.external_ids,
        ),
    )


def violations_to_proto(violations: Sequence[FieldViolation]) -> list[pb.BundleViolation]:
    """Return violations as messages."""
    return [pb.BundleViolation(field=entry.field, description=entry.description) for entry in violations]


def summary_to_proto(
    *,
    version: str,
    surface: str,
    active: bool,
    published_at_ms: int,
    canonical: bytes,
    replicas: Sequence[tuple[str, bool, str]],
) -> pb.BundleSummary:
    """Return a bundle's summary as a message; `replicas` holds (replica, ready, reason)."""
    message = pb.BundleSummary(
        policy_version=version,
        surface=surface,
        active=active,
        canonical_json=canonical.decode(),
        replicas=[pb.ReplicaReadiness(replica=name, ready=ready, reason=why) for name, ready, why in replicas],
    )
    set_ms(message.published_at, published_at_ms)
    return message
