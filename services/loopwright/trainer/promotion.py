"""Promotion: a bundle that pins the new models is published and activated once every replica has loaded it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from loopwright.bundle import PolicyBundle, canonical_json
from loopwright.faults import Fault
from loopwright.rpc import Deadline

ASK_EVERY_S = 0.25


class Policies(Protocol):
    """PolicyService, as far as promotion needs it."""

    async def publish(self, document: str, reason: str) -> str:
        """Make a bundle known and return its version."""
        ...

    async def activate(self, surface: str, version: str, previous: str, reason: str) -> None:
        """Make a published bundle active."""
        ...


async def promote(
    policies: Policies,
    bundle: PolicyBundle,
    previous: str,
    reason: str,
    deadline: Deadline,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> str:
    """Publish and activate a bundle; returns its version.

    Args:
        policies: PolicyService.
        bundle: The bundle.
        previous: The version that must still be active; "" for none.
        reason: Goes on record.
        deadline: How long replicas may take to load it.
        sleep: Waits between two attempts.

    Raises:
        Fault: REPLICA_NOT_READY when a replica refused it, or has not loaded it by the deadline;
            EXPECTED_PREVIOUS_MISMATCH when another bundle became active meanwhile.
    """
    version = await policies.publish(canonical_json(bundle).decode(), reason)
    while True:
        try:
            await policies.activate(bundle.surface, version, previous, reason)
            return version
        except Fault as fault:
            pending = fault.reason == "REPLICA_NOT_READY" and fault.metadata.get("state") in {"pending", "absent"}
            if not pending or deadline.expired:
                raise
            await sleep(fault.retry_after_s or ASK_EVERY_S)
